import { subscribe } from './hub';

/** Proxies close connections on which nothing happens for a minute or less. */
const HEARTBEAT_MS = 15_000;

/** A page that reads slower than this many events come is let go; it connects again and catches up. */
const WAITING_MOST = 1_000;

/** The event stream for one page: `text/event-stream` until the page leaves. */
export function eventStream(request: Request): Response {
  const encoder = new TextEncoder();
  let stop = () => {};
  const body = new ReadableStream<Uint8Array>(
    {
      start(controller) {
        let stopped = false;
        let unsubscribe = () => {};
        let heartbeat: ReturnType<typeof setInterval> | undefined;
        stop = () => {
          if (stopped) return;
          stopped = true;
          clearInterval(heartbeat);
          unsubscribe();
          request.signal.removeEventListener('abort', stop);
          try {
            controller.close();
          } catch {
            // The page closed it first.
          }
        };
        const send = (text: string) => {
          if (stopped) return;
          if ((controller.desiredSize ?? 0) < -WAITING_MOST) return stop();
          try {
            controller.enqueue(encoder.encode(text));
          } catch {
            stop();
          }
        };
        if (request.signal.aborted) return stop();
        request.signal.addEventListener('abort', stop);
        send('retry: 2000\n\n');
        unsubscribe = subscribe(({ id, event }) => {
          send(`id: ${id}\ndata: ${JSON.stringify(event)}\n\n`);
        }, lastSeen(request));
        heartbeat = setInterval(() => send(': alive\n\n'), HEARTBEAT_MS);
      },
      cancel() {
        stop();
      },
    },
    { highWaterMark: 16 },
  );
  return new Response(body, {
    headers: {
      'Content-Type': 'text/event-stream; charset=utf-8',
      'Cache-Control': 'no-cache, no-transform',
      Connection: 'keep-alive',
      // Proxies of nginx's kind would hold events back.
      'X-Accel-Buffering': 'no',
    },
  });
}

/** The last event that the page has seen: the browser says it when it connects again, the client in the address. */
function lastSeen(request: Request): number | undefined {
  const said =
    request.headers.get('last-event-id') ?? new URL(request.url).searchParams.get('after');
  const id = said === null ? NaN : Number(said);
  return Number.isSafeInteger(id) ? id : undefined;
}
