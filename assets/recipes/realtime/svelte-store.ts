import { readable, type Readable } from 'svelte/store';

import { connect, type ConnectionState } from './client';
import type { RealtimeEvent } from './events';

export interface Realtime {
  state: ConnectionState;
  /** The newest event. */
  last: RealtimeEvent | undefined;
}

/** The channel as a store: connected as long as somebody subscribes, on the page only. */
export function realtime(): Readable<Realtime> {
  return readable<Realtime>({ state: 'closed', last: undefined }, (_set, update) => {
    if (typeof EventSource === 'undefined') return;
    const take = (last: RealtimeEvent) => update((now) => ({ ...now, last }));
    return connect(
      { message: take, changed: take },
      { onState: (state) => update((now) => ({ ...now, state })) },
    );
  });
}
