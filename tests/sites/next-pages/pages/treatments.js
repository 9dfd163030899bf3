const treatments = [
  { title: 'Check-up', price: '£45', text: "A look around, it's quick" },
  { title: 'Whitening', price: '£250', text: 'Two shades in an hour' },
]

export default function Treatments() {
  return (
    <div>
      <h1>Treatments</h1>
      {treatments.map((t) => (
        <div key={t.title} className="card">
          <h2>{t.title}</h2>
          <p className="price">{t.price}</p>
          <p>{t.text}</p>
        </div>
      ))}
    </div>
  )
}
