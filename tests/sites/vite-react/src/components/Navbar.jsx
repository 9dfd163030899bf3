import { NavLink } from 'react-router-dom'

const Navbar = () => {
  return (
    <nav className="navbar">
      <NavLink to="/" className="brand">Crux</NavLink>
      <ul className="menu">
        <li><NavLink to="/">Home</NavLink></li>
        <li><NavLink to="/about">About</NavLink></li>
        <li><a href="#prices">Prices</a></li>
        <li><a href="#routs">Routes</a></li>
      </ul>
      <button className="nav-button">Book a slot</button>
    </nav>
  )
}

export default Navbar
