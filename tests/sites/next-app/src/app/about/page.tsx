import type { Metadata } from "next";

export const metadata: Metadata = {
  title: "About Tempo",
  description: "Four people and a clock.",
};

export default function About() {
  return (
    <main className="prose">
      <h1>We like Mondays</h1>
      <p>Tempo began as a spreadsheet in 2018.</p>
      <p>
        Write to <a href="mailto:team@tempo.example">team@tempo.example</a> any time.
      </p>
      <img src="/team.jpg" />
    </main>
  );
}
