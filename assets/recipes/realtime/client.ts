import { REALTIME_PATH, type EventOf, type Handlers, type RealtimeEvent, type RealtimeType } from './events';

export type ConnectionState = 'connecting' | 'open' | 'closed';

export interface ConnectOptions {
  /** Another address than the usual one. */
  path?: string;
  /** Told whenever the connection changes. */
  onState?: (state: ConnectionState) => void;
}

/** Listens to the channel until the function that it returns is called. */
export function connect(handlers: Handlers, options: ConnectOptions = {}): () => void {
  const path = options.path ?? REALTIME_PATH;
  let source: EventSource | undefined;
  let timer: ReturnType<typeof setTimeout> | undefined;
  let last = '';
  let failures = 0;
  let closed = false;

  const state = (now: ConnectionState) => options.onState?.(now);

  const open = () => {
    if (closed) return;
    state('connecting');
    source = new EventSource(last ? `${path}?after=${encodeURIComponent(last)}` : path);
    source.onopen = () => {
      failures = 0;
      state('open');
    };
    source.onmessage = (message) => {
      if (message.lastEventId) last = message.lastEventId;
      const event = parse(message.data);
      if (event) dispatch(handlers, event);
    };
    source.onerror = () => {
      // The browser itself tries again after a cut; after a refusal (a 502 while the server restarts) it gives up.
      if (source?.readyState !== EventSource.CLOSED) return state('connecting');
      source.close();
      failures += 1;
      const wait = Math.min(30_000, 500 * 2 ** failures) * (0.5 + Math.random() / 2);
      timer = setTimeout(open, wait);
      state('connecting');
    };
  };

  open();
  return () => {
    closed = true;
    clearTimeout(timer);
    source?.close();
    state('closed');
  };
}

function parse(data: string): RealtimeEvent | undefined {
  try {
    const event: unknown = JSON.parse(data);
    const typed = typeof event === 'object' && event !== null && 'type' in event;
    return typed ? (event as RealtimeEvent) : undefined;
  } catch {
    return undefined;
  }
}

function dispatch<T extends RealtimeType>(handlers: Handlers, event: EventOf<T>): void {
  const handler = handlers[event.type as T] as ((event: EventOf<T>) => void) | undefined;
  handler?.(event);
}
