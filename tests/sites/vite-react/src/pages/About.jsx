export default function About() {
  return (
    <main className="about">
      <h1>About the hall</h1>
      <p>
        Built by climbers for <em>everyone</em>.
      </p>
      <p>We set {' '} new routes every Monday.</p>
    </main>
  )
}
