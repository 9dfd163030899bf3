import { eventStream } from '$lib/realtime/stream';

export const prerender = false;

export function GET({ request }: { request: Request }): Response {
  return eventStream(request);
}
