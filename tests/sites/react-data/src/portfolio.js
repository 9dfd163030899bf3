const about = {
  name: 'Mara Lind',
  role: 'Engine builder',
}

const social = {
  github: 'https://github.com/maralind',
  linkedin: 'https://linkedin.com/in/maralind',
}

const projects = [
  { name: 'Pump', note: 'Moves water uphill' },
  { name: 'Loom', note: 'Weaves by steam' },
  { name: 'Press', note: 'Prints on both sides' },
]

const skills = ['Brass', 'Steel', 'Rust removal']

export { about, social, projects, skills }
