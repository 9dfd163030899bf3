'use client';

import { useEffect, useRef, useState } from 'react';

import { connect, type ConnectionState } from './client';
import type { EventOf, Handlers, RealtimeType } from './events';

/**
 * Listens to the channel as long as the component is shown.
 *
 * ```tsx
 * const state = useRealtime({ message: (event) => setText(event.text) });
 * ```
 */
export function useRealtime(handlers: Handlers): ConnectionState {
  const [state, setState] = useState<ConnectionState>('connecting');
  // The newest handlers are called without connecting anew.
  const current = useRef(handlers);
  useEffect(() => {
    current.current = handlers;
  });
  useEffect(() => {
    const call =
      <T extends RealtimeType>(type: T) =>
      (event: EventOf<T>) =>
        (current.current[type] as ((event: EventOf<T>) => void) | undefined)?.(event);
    return connect({ message: call('message'), changed: call('changed') }, { onState: setState });
  }, []);
  return state;
}
