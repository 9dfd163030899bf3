import type { Metadata } from 'next';

import { ContactForm } from '../../components/contact-form';

export const metadata: Metadata = { title: %{title:json} };

export default async function ContactPage({
  searchParams,
}: {
  searchParams: Promise<{ sent?: string }>;
}) {
  const { sent } = await searchParams;
  return (
    <main>
      <h1>{%{title:json}}</h1>
      {sent === '1' && <p role="status">Thank you! Your message has been sent.</p>}
      {sent === '0' && <p role="alert">The message was not sent. Please check it and try again.</p>}
      <ContactForm />
    </main>
  );
}
