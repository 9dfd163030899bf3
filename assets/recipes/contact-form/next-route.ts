import { receive } from '../../../lib/contact';

export const runtime = 'nodejs';

/** Larger bodies are nobody's message. */
const LARGEST = 64 * 1024;

export async function POST(request: Request): Promise<Response> {
  if (Number(request.headers.get('content-length') ?? 0) > LARGEST) {
    return Response.json({ ok: false, error: 'The message is too long.' }, { status: 413 });
  }
  let form: FormData;
  try {
    form = await request.formData();
  } catch {
    return Response.json({ ok: false, error: 'This is no form.' }, { status: 400 });
  }
  const outcome = await receive((field) => form.get(field), process.env.CONTACT_WEBHOOK_URL);
  // Without JavaScript the browser itself sent the form: it is shown a page.
  if (!request.headers.get('accept')?.includes('application/json')) {
    const to = new URL(outcome.ok ? '/contact?sent=1' : '/contact?sent=0', request.url);
    return Response.redirect(to, 303);
  }
  return Response.json(outcome, { status: outcome.ok ? 200 : outcome.status });
}
