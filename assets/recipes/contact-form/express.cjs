'use strict';

const express = require('express');

/** How long the place that messages go to may take. */
const PATIENCE_MS = 10_000;
const LONGEST = { name: 100, email: 254, message: 5000 };

const contact = express.Router();

contact.get('/contact', (request, response) => {
  response.type('html').send(page({ sent: request.query.sent === '1' }));
});

contact.post('/contact', express.urlencoded({ extended: false, limit: '64kb' }), async (request, response) => {
  const outcome = await receive(request.body ?? {});
  if (outcome.ok) return response.redirect(303, '/contact?sent=1');
  response.status(outcome.status).type('html').send(page(outcome));
});

async function receive(body) {
  const value = (field) => (typeof body[field] === 'string' ? body[field].trim() : '');
  // People do not see this field; what fills it in is a robot, and it is told that all went well.
  if (value('website') !== '') return { ok: true };
  const values = { name: value('name'), email: value('email'), message: value('message') };
  const errors = {};
  for (const [field, longest] of Object.entries(LONGEST)) {
    if (values[field] === '') errors[field] = 'This is needed.';
    else if (values[field].length > longest) errors[field] = `At most ${longest} characters, please.`;
  }
  if (!errors.email && !/^[^\s@]+@[^\s@]+\.[^\s@]+$/.test(values.email)) {
    errors.email = 'This is no email address.';
  }
  if (Object.keys(errors).length > 0) {
    return { ok: false, status: 400, error: 'Please look at the marked fields.', errors, values };
  }
  const webhook = process.env.CONTACT_WEBHOOK_URL;
  if (!webhook) {
    console.error('contact: CONTACT_WEBHOOK_URL is not set, a message was not sent');
    return { ok: false, status: 503, error: 'Messages cannot be sent yet.', values };
  }
  try {
    const answer = await fetch(webhook, {
      method: 'POST',
      headers: { 'Content-Type': 'application/json' },
      body: JSON.stringify({ ...values, at: new Date().toISOString() }),
      signal: AbortSignal.timeout(PATIENCE_MS),
    });
    if (!answer.ok) throw new Error(`the webhook answered ${answer.status}`);
    return { ok: true };
  } catch (error) {
    console.error('contact:', error instanceof Error ? error.message : error);
    return { ok: false, status: 502, error: 'The message was not sent. Please try again later.', values };
  }
}

function escape(text) {
  const signs = { '&': '&amp;', '<': '&lt;', '>': '&gt;', '"': '&quot;', "'": '&#39;' };
  return String(text).replace(/[&<>"']/g, (sign) => signs[sign]);
}

function page({ sent = false, error = '', errors = {}, values = {} }) {
  const marks = (field) =>
    errors[field] ? ` aria-invalid="true" aria-describedby="contact-${field}-error"` : '';
  const wrong = (field) =>
    errors[field] ? `<p id="contact-${field}-error">${escape(errors[field])}</p>` : '';
  const text = (field) => escape(values[field] ?? '');
  return `<!doctype html>
<html lang="en">
<head>
<meta charset="utf-8">
<meta name="viewport" content="width=device-width, initial-scale=1">
<title>%{title:html}</title>
</head>
<body>
<main>
<h1>%{title:html}</h1>
<form method="post" action="/contact">
<label for="contact-name">Name</label>
<input id="contact-name" name="name" autocomplete="name" maxlength="100" required value="${text('name')}"${marks('name')}>
${wrong('name')}
<label for="contact-email">Email</label>
<input id="contact-email" name="email" type="email" autocomplete="email" maxlength="254" required value="${text('email')}"${marks('email')}>
${wrong('email')}
<label for="contact-message">Message</label>
<textarea id="contact-message" name="message" rows="6" maxlength="5000" required${marks('message')}>${text('message')}</textarea>
${wrong('message')}
<div hidden><label for="contact-website">Leave this empty</label>
<input id="contact-website" name="website" tabindex="-1" autocomplete="off"></div>
<button type="submit">Send</button>
<p role="status">${sent ? 'Thank you! Your message has been sent.' : escape(error)}</p>
</form>
</main>
</body>
</html>
`;
}

module.exports = { contact };
