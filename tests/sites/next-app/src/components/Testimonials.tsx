const quotes = [
  { name: "Mara Ito", role: "Designer", text: "I stopped guessing." },
  { name: "Sam Doe", role: "Lawyer", text: "It pays for itself." },
];

export function Testimonials() {
  return (
    <section id="testimonials">
      <h2>Loved by freelancers</h2>
      {quotes.map((quote) => (
        <figure key={quote.name}>
          <blockquote>{quote.text}</blockquote>
          <figcaption>
            {quote.name}, {quote.role}
          </figcaption>
        </figure>
      ))}
    </section>
  );
}
