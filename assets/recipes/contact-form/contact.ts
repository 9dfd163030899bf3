/** What somebody wrote. */
export interface Message {
  name: string;
  email: string;
  message: string;
}

export type Field = keyof Message;

/** What came of it: what to tell people, by field where a field is wrong. */
export type Outcome =
  | { ok: true }
  | { ok: false; status: 400 | 502 | 503; error: string; errors?: Partial<Record<Field, string>> };

const LONGEST: Record<Field, number> = { name: 100, email: 254, message: 5000 };

/** How long the place that messages go to may take. */
const PATIENCE_MS = 10_000;

/** Checks what came from a form and sends it on. `read` gives the value of a field. */
export async function receive(
  read: (field: string) => unknown,
  webhook: string | undefined,
): Promise<Outcome> {
  const value = (field: string) => {
    const text = read(field);
    return typeof text === 'string' ? text.trim() : '';
  };
  // People do not see this field; what fills it in is a robot, and it is told that all went well.
  if (value('website') !== '') return { ok: true };

  const message: Message = {
    name: value('name'),
    email: value('email'),
    message: value('message'),
  };
  const errors: Partial<Record<Field, string>> = {};
  for (const field of Object.keys(LONGEST) as Field[]) {
    if (message[field] === '') errors[field] = 'This is needed.';
    else if (message[field].length > LONGEST[field]) {
      errors[field] = `At most ${LONGEST[field]} characters, please.`;
    }
  }
  if (!errors.email && !/^[^\s@]+@[^\s@]+\.[^\s@]+$/.test(message.email)) {
    errors.email = 'This is no email address.';
  }
  if (Object.keys(errors).length > 0) {
    return { ok: false, status: 400, error: 'Please look at the marked fields.', errors };
  }
  return deliver(message, webhook);
}

async function deliver(message: Message, webhook: string | undefined): Promise<Outcome> {
  if (!webhook) {
    console.error('contact: CONTACT_WEBHOOK_URL is not set, a message was not sent');
    return { ok: false, status: 503, error: 'Messages cannot be sent yet.' };
  }
  try {
    const answer = await fetch(webhook, {
      method: 'POST',
      headers: { 'Content-Type': 'application/json' },
      body: JSON.stringify({ ...message, at: new Date().toISOString() }),
      signal: AbortSignal.timeout(PATIENCE_MS),
    });
    if (!answer.ok) throw new Error(`the webhook answered ${answer.status}`);
    return { ok: true };
  } catch (error) {
    console.error('contact:', error instanceof Error ? error.message : error);
    return { ok: false, status: 502, error: 'The message was not sent. Please try again later.' };
  }
}
