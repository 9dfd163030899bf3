import { features } from "@/data/features";

export function FeatureGrid() {
  return (
    <section id="features" className="grid gap-8 py-16 md:grid-cols-3">
      <h2 className="text-3xl">What you get</h2>
      {features.map((feature) => (
        <article key={feature.id} className="rounded border p-4">
          <h3>{feature.title}</h3>
          <p>{feature.text}</p>
        </article>
      ))}
    </section>
  );
}
