import { Injectable, Module } from '@nestjs/common';

import type { RealtimeEvent } from './events';
import { publish } from './hub';
import { RealtimeController } from './realtime.controller';

@Injectable()
export class RealtimeService {
  /** Sends an event to every page that listens. */
  publish(event: RealtimeEvent): void {
    publish(event);
  }
}

@Module({
  controllers: [RealtimeController],
  providers: [RealtimeService],
  exports: [RealtimeService],
})
export class RealtimeModule {}
