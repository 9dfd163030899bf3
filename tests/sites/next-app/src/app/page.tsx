import Link from "next/link";
import { FeatureGrid } from "@/components/FeatureGrid";
import { Hero } from "@/components/Hero";
import { Testimonials } from "@/components/Testimonials";
import { NewsletterBanner } from "@/components/NewsletterBanner";

export default function Home() {
  return (
    <main>
      <Hero
        title="Time, in your hands"
        subtitle="Tempo tracks hours without getting in the way."
        primary={{ label: "Start free", href: "/signup" }}
      />
      <FeatureGrid />
      <Testimonials />
      <section className="bg-indigo-50 py-16" id="cta">
        <h2 className="text-3xl font-bold">Ready when you are</h2>
        <p className="mt-2 text-gray-600">No card, no contract &amp; no nagging.</p>
        <Link href="/pricing" className="btn mt-4 bg-brand text-white">
          See prices
        </Link>
      </section>
      <NewsletterBanner />
    </main>
  );
}
