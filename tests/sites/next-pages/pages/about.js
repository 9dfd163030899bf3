import Head from 'next/head'

export default function About() {
  return (
    <div>
      <Head>
        <title>About us | Harbour Dental</title>
      </Head>
      <h1>Three dentists, one harbour</h1>
      <p>Dr. Lin, Dr. Osei and Dr. Weber look after you.</p>
      <img src="/images/team.jpg" alt="The team" />
    </div>
  )
}
