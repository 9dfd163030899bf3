import { eventStream } from '../%{up}lib/realtime/stream';

// A stream is never kept or made ahead of time, and the hub lives in Node's process.
export const dynamic = 'force-dynamic';
export const runtime = 'nodejs';

export function GET(request: Request): Response {
  return eventStream(request);
}
