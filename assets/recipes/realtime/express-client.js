/**
 * Listens to the channel until the function that it returns is called.
 *
 * `connect({ message: (event) => show(event.text) })`
 *
 * @param {Record<string, (event: any) => void>} handlers by the type of their event
 * @param {{ path?: string, onState?: (state: 'connecting' | 'open' | 'closed') => void }} [options]
 */
export function connect(handlers, { path = %{path:json}, onState = () => {} } = {}) {
  let source;
  let timer;
  let last = '';
  let failures = 0;
  let closed = false;

  const open = () => {
    if (closed) return;
    onState('connecting');
    source = new EventSource(last ? `${path}?after=${encodeURIComponent(last)}` : path);
    source.onopen = () => {
      failures = 0;
      onState('open');
    };
    source.onmessage = (message) => {
      if (message.lastEventId) last = message.lastEventId;
      let event;
      try {
        event = JSON.parse(message.data);
      } catch {
        return;
      }
      handlers[event?.type]?.(event);
    };
    source.onerror = () => {
      onState('connecting');
      // The browser itself tries again after a cut; after a refusal (a 502 while the server restarts) it gives up.
      if (source.readyState !== EventSource.CLOSED) return;
      failures += 1;
      const wait = Math.min(30_000, 500 * 2 ** failures) * (0.5 + Math.random() / 2);
      timer = setTimeout(open, wait);
    };
  };

  open();
  return () => {
    closed = true;
    clearTimeout(timer);
    source?.close();
    onState('closed');
  };
}
