const Footer = () => (
  <footer className="footer">
    <address>Old Foundry 7, Leeds</address>
    <a href="mailto:hi@crux.example">hi@crux.example</a>
    <p className="copy">&copy; 2022 Crux Climbing Ltd</p>
  </footer>
)

export default Footer
