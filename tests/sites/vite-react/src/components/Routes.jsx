import data from '../data/routes.json'

const Routes = () => (
  <section id="routes" className="routes">
    <h2>This month's routes</h2>
    <ol>
      {data.routes.map((route, index) => (
        <li key={index}>
          <strong>{route.name}</strong> <em>{route.grade}</em>
          <span>{route.setter}</span>
        </li>
      ))}
    </ol>
  </section>
)

export default Routes
