import { person, social, work } from "../portfolio";

const Greeting = () => (
  <main>
    <h1>{person.title + " "}</h1>
    <img src="/ines.jpg" alt={person.name} />
    <ul>
      {Object.values(person.links).map((link) => (
        <li key={link.url}><a href={link.url}>{link.name}</a></li>
      ))}
    </ul>
    <a href={social.email}>Write to me</a>
    <h2>Work experience</h2>
    {work.map((job) => (
      <article key={job.company}>
        <h3>{job.company}</h3>
        <p>{job.title}</p>
      </article>
    ))}
  </main>
);

export default Greeting;
