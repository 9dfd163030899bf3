'use client';

import { useId, useState, type FormEvent } from 'react';

import type { Field, Outcome } from '../lib/contact';

export function ContactForm() {
  const id = useId();
  const [busy, setBusy] = useState(false);
  const [outcome, setOutcome] = useState<Outcome>();

  async function send(event: FormEvent<HTMLFormElement>) {
    event.preventDefault();
    const form = event.currentTarget;
    setBusy(true);
    try {
      const answer = await fetch(form.action, {
        method: 'POST',
        headers: { Accept: 'application/json' },
        body: new FormData(form),
      });
      const said: Outcome = await answer.json();
      setOutcome(said);
      if (said.ok) form.reset();
    } catch {
      setOutcome({ ok: false, status: 502, error: 'The message was not sent. Please try again later.' });
    } finally {
      setBusy(false);
    }
  }

  const wrong = (field: Field) =>
    outcome && !outcome.ok ? outcome.errors?.[field] : undefined;
  const describe = (field: Field) => ({
    id: `${id}-${field}`,
    name: field,
    required: true,
    'aria-invalid': wrong(field) ? true : undefined,
    'aria-describedby': wrong(field) ? `${id}-${field}-error` : undefined,
  });
  const error = (field: Field) =>
    wrong(field) && <p id={`${id}-${field}-error`}>{wrong(field)}</p>;

  return (
    <form action="/api/contact" method="post" onSubmit={send}>
      <label htmlFor={`${id}-name`}>Name</label>
      <input {...describe('name')} autoComplete="name" maxLength={100} />
      {error('name')}
      <label htmlFor={`${id}-email`}>Email</label>
      <input {...describe('email')} type="email" autoComplete="email" maxLength={254} />
      {error('email')}
      <label htmlFor={`${id}-message`}>Message</label>
      <textarea {...describe('message')} rows={6} maxLength={5000} />
      {error('message')}
      <div hidden>
        <label htmlFor={`${id}-website`}>Leave this empty</label>
        <input id={`${id}-website`} name="website" tabIndex={-1} autoComplete="off" />
      </div>
      <button type="submit" disabled={busy}>
        {busy ? 'Sending…' : 'Send'}
      </button>
      <p role="status">
        {outcome && (outcome.ok ? 'Thank you! Your message has been sent.' : outcome.error)}
      </p>
    </form>
  );
}
