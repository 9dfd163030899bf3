import type { RealtimeEvent } from './events';

export interface Published {
  id: number;
  event: RealtimeEvent;
}

type Listener = (published: Published) => void;

interface Hub {
  next: number;
  recent: Published[];
  listeners: Set<Listener>;
}

/** Events kept for pages that connect again. */
const KEPT = 200;

// One hub for the process, also when a development server loads this module anew.
const holder = globalThis as typeof globalThis & { __realtimeHub?: Hub };
const hub: Hub = (holder.__realtimeHub ??= { next: Date.now(), recent: [], listeners: new Set() });

/** Sends an event to every page that listens. */
export function publish(event: RealtimeEvent): void {
  const published: Published = { id: hub.next++, event };
  hub.recent.push(published);
  if (hub.recent.length > KEPT) hub.recent.shift();
  for (const listener of [...hub.listeners]) {
    try {
      listener(published);
    } catch {
      // One page that is gone must not keep the event from the others.
      hub.listeners.delete(listener);
    }
  }
}

/** Calls `listener` for what came after `after`, as far as it is kept, and for everything from now on. */
export function subscribe(listener: Listener, after?: number): () => void {
  if (after !== undefined) {
    for (const published of hub.recent) {
      if (published.id > after) listener(published);
    }
  }
  hub.listeners.add(listener);
  return () => {
    hub.listeners.delete(listener);
  };
}
