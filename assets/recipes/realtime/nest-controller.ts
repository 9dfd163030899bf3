import { Controller, Headers, MessageEvent, Query, Sse } from '@nestjs/common';
import { Observable, interval, map, merge } from 'rxjs';

import { subscribe } from './hub';

/** Proxies close connections on which nothing happens for a minute or less. */
const HEARTBEAT_MS = 15_000;

@Controller()
export class RealtimeController {
  @Sse(%{path:json})
  stream(
    @Headers('last-event-id') header?: string,
    @Query('after') query?: string,
  ): Observable<MessageEvent> {
    const last = Number(header ?? query ?? NaN);
    const events = new Observable<MessageEvent>((subscriber) =>
      // What this returns is called when the page leaves.
      subscribe(
        ({ id, event }) => subscriber.next({ id: String(id), data: event }),
        Number.isSafeInteger(last) ? last : undefined,
      ),
    );
    // Events of this type have no handler in a page: they only keep the connection alive.
    const heartbeat = interval(HEARTBEAT_MS).pipe(map(() => ({ type: 'alive', data: '' })));
    return merge(events, heartbeat);
  }
}
