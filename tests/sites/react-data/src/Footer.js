const Footer = () => {
  const navigation = ['Machines', 'Workshop', 'Imprint']
  return (
    <footer>
      {navigation.map((item) => <span key={item}>{item}</span>)}
      <a href="https://foundry.example">Cast at the foundry</a>
    </footer>
  )
}

export default Footer
