const prices = [
  { id: 1, title: 'Day pass', price: '£12', note: 'All day, any day' },
  { id: 2, title: 'Month', price: '£49', note: 'Shoes included' },
]

export default function Prices() {
  return (
    <section id="prices">
      <h2>Prices</h2>
      <div className="price-list">
        {prices.map(({ id, title, price, note }) => (
          <div className="price-card" key={id}>
            <h3>{title}</h3>
            <span className="amount">{price}</span>
            <p>{note}</p>
            <button>Buy</button>
          </div>
        ))}
      </div>
      <form className="voucher">
        <label htmlFor="code">Voucher code</label>
        <input id="code" placeholder="ABC-123" />
        <button type="submit">Redeem</button>
      </form>
    </section>
  )
}
