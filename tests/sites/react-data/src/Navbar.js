const Navbar = () => {
  const navigation = ['Machines', 'Workshop', 'Prices']
  return (
    <nav>
      <ul>
        {navigation.map((item) => <li key={item}><a href="/">{item}</a></li>)}
      </ul>
      <a href="/login">Sign in</a>
    </nav>
  )
}

export default Navbar
