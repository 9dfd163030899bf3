import React from 'react';
import Link from '@docusaurus/Link';
import useDocusaurusContext from '@docusaurus/useDocusaurusContext';
import Layout from '@theme/Layout';

const FeatureList = [
  { title: 'Fast', description: <>It opens before you blink.</> },
  { title: 'Private', description: <>Your notes stay with you.</> },
];

export default function Home() {
  const { siteConfig } = useDocusaurusContext();
  return (
    <Layout title="Home" description="Notes for busy people">
      <header className="hero">
        <h1>{siteConfig.title}</h1>
        <p>{siteConfig.tagline}</p>
        <Link className="button" to="/docs/intro">
          Read the manual
        </Link>
      </header>
      <section>
        {FeatureList.map((feature) => (
          <div key={feature.title}>
            <h3>{feature.title}</h3>
            <p>{feature.description}</p>
          </div>
        ))}
      </section>
    </Layout>
  );
}
