import styles from '../styles/Home.module.css'
import site from '../config/site.json'

export default function Home() {
  return (
    <div className={styles.container}>
      <section className={styles.hero}>
        <h1 className={styles.title}>{site.name}</h1>
        <p className={styles.lead}>{site.tagline}</p>
        <a className={styles.button} href="/book">Book a visit</a>
      </section>
      <section className={styles.news}>
        <h2>New: evening hours</h2>
        <p>On Thursdays we are here until eight o'clock.</p>
      </section>
    </div>
  )
}
