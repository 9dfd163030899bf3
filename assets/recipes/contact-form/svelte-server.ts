import { fail } from '@sveltejs/kit';
import { env } from '$env/dynamic/private';

import { receive } from '$lib/server/contact';

export const prerender = false;

export const actions = {
  default: async ({ request }: { request: Request }) => {
    const form = await request.formData();
    const outcome = await receive((field) => form.get(field), env.CONTACT_WEBHOOK_URL);
    if (outcome.ok) return { sent: true };
    // What was written stays in the form.
    const text = (field: string) => String(form.get(field) ?? '');
    return fail(outcome.status, {
      error: outcome.error,
      errors: outcome.errors ?? {},
      values: { name: text('name'), email: text('email'), message: text('message') },
    });
  },
};
