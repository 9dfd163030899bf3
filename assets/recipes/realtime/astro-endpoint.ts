import type { APIRoute } from 'astro';

import { eventStream } from '%{up}lib/realtime/stream';

// Answered when it is asked for, never built ahead.
export const prerender = false;

export const GET: APIRoute = ({ request }) => eventStream(request);
