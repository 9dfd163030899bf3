import Head from 'next/head'
import Link from 'next/link'
import site from '../config/site.json'

export default function Layout({ children }) {
  return (
    <>
      <Head>
        <title>Harbour Dental</title>
        <meta name="description" content="Dentist in Whitby." />
        <link rel="icon" href="/favicon.ico" />
      </Head>
      <nav>
        {site.nav.map((item) => (
          <Link key={item.url} href={item.url}>{item.text}</Link>
        ))}
      </nav>
      <main>{children}</main>
      <footer>
        <p>{site.address.street}, {site.address.city}</p>
        <p>Call <a href={`tel:${site.phone}`}>{site.phone}</a></p>
        <p>© 2023 Harbour Dental</p>
      </footer>
    </>
  )
}
