const Hero = () => {
  const heading = 'Climb higher'
  return (
    <section className="hero" style={{ backgroundColor: '#1e293b', padding: '6rem' }}>
      <h1>{heading}</h1>
      <p className="subtitle">
        A bouldering hall in the
        old foundry.
      </p>
      <div className="actions">
        <a className="btn btn-primary" href="#prices">Get started</a>
        <a className="btn" href="/about">Learn more</a>
      </div>
      <img src="/wall.jpg" alt="" />
    </section>
  )
}

export default Hero
