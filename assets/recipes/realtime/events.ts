/** Everything that goes over the channel. Add a member for each kind of event; server and pages then agree on it. */
export type RealtimeEvent =
  | { type: 'message'; text: string; at: string }
  | { type: 'changed'; what: string; id?: string };

export type RealtimeType = RealtimeEvent['type'];

/** The event of one type: `EventOf<'message'>`. */
export type EventOf<T extends RealtimeType> = Extract<RealtimeEvent, { type: T }>;

/** Handlers by the type of their event; each gets its own kind. */
export type Handlers = { [T in RealtimeType]?: (event: EventOf<T>) => void };

/** Where pages listen. */
export const REALTIME_PATH = %{path:json};
