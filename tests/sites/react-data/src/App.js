import { lazy } from 'react'
import Navbar from './Navbar'
import Footer from './Footer'
import { SectionTitle } from './SectionTitle'
import { Testimonials } from './Testimonials'
import { about, social, projects, skills } from './portfolio'

const GithubCard = lazy(() => import('./githubCard/GithubCard'))

export default function App() {
  return (
    <>
      <Navbar />
      <header id="home">
        <h1 className="text-4xl text-gray-800">Engines that run</h1>
        <p>{about.name}, {about.role}</p>
        <a href={social.github} className="icon"><i className="fa fa-github" /></a>
        <a href="#!" className="icon"><i className="fa fa-mastodon" /></a>
        <p>LET&apos;S BUILD</p>
      </header>
      <SectionTitle preTitle="Work" title="What I have built">
        A selection of small machines.
      </SectionTitle>
      <ul>
        {projects.map((project) => (
          <li key={project.name}>
            <h3>{project.name}</h3>
            <p>{project.note}</p>
          </li>
        ))}
      </ul>
      <ul className="skills">
        {skills.map((skill) => <li key={skill}>{skill}</li>)}
      </ul>
      <SectionTitle preTitle="Testimonials" title="Kind words" />
      <Testimonials />
      <GithubCard />
      <Footer />
    </>
  )
}
