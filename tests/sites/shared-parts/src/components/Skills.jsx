import { skills } from "../info";

export default function Skills() {
  return (
    <section>
      <h2>Skills</h2>
      <ul>
        {skills.map((skill) => (
          <li key={skill.title}>{skill.title}</li>
        ))}
      </ul>
    </section>
  );
}
