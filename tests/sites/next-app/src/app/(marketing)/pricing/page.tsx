const plans = [
  { name: "Solo", price: 0, cta: "Start now", features: ["One person", "Unlimited projects"] },
  { name: "Studio", price: 12, cta: "Try Studio", features: ["Up to ten people", "Shared reports"] },
  { name: "Agency", price: 49, cta: "Talk to us", features: ["Everyone", "Single sign-on"] },
];

const faq = [
  { question: "Can I cancel?", answer: "Any time, with one click." },
  { question: "Is there a discount?", answer: "For schools, yes." },
];

export default function Pricing() {
  return (
    <main>
      <h1>Simple prices</h1>
      <div className="grid">
        {plans.map((plan) => (
          <div key={plan.name} className="rounded-lg border p-6">
            <h2>{plan.name}</h2>
            <p>€{plan.price} a month</p>
            <ul>
              {plan.features.map((feature) => (
                <li key={feature}>{feature}</li>
              ))}
            </ul>
            <button className="bg-indigo-600 text-white">{plan.cta}</button>
          </div>
        ))}
      </div>
      <section id="faq">
        <h2>Questions</h2>
        {faq.map((item) => (
          <details key={item.question}>
            <summary>{item.question}</summary>
            <p>{item.answer}</p>
          </details>
        ))}
      </section>
    </main>
  );
}
