/** The way to one legacy system: its connection, and how much it may be asked. */

import type { LegacySettings } from '../config/legacy-section.ts';
import type { Clock } from '../core/clock.ts';
import type { Sightings } from '../migration/sightings.ts';
import type { Log } from '../observe/log.ts';
import { createBreaker, type NotNow, type Outcome } from './breaker.ts';
import { NoReply, openConnection, type WireReply, type WireRequest } from './call.ts';

/** No reply, or none that could be believed. `retryAfter`: seconds. */
export interface Away {
  readonly away: string;
  readonly retryAfter?: number;
}

export interface Line {
  /** Seconds until the next try while the breaker is open. */
  outage(): number | undefined;
  /**
   * One call, which counts as `judge` says of its reply. Never rejects for what the legacy system does. `made`: false
   * where none was.
   */
  call<Result>(
    request: WireRequest,
    judge: (reply: WireReply) => { readonly result: Result; readonly outcome: Outcome },
    options?: { readonly limited?: boolean },
  ): Promise<{ readonly result: Result } | (Away & { readonly made: boolean })>;
  close(): Promise<void>;
}

export function openLine(options: {
  readonly dialect: string;
  readonly legacy: LegacySettings;
  readonly via: string;
  readonly ownPorts: readonly number[];
  readonly clock: Clock;
  readonly log: Log;
  readonly sightings?: Pick<Sightings, 'answered'> | undefined;
}): Line {
  const { dialect, legacy, clock, log, sightings } = options;
  const { host } = new URL(legacy.url);
  const connection = openConnection(options);
  const breaker = createBreaker({
    ...{ clock, concurrency: legacy.concurrency, rate: legacy.rate },
    changed(open) {
      if (open) log.error({ dialect, host }, 'the legacy system is away: it is asked every five seconds');
      else log.info({ dialect, host }, 'the legacy system is back');
    },
  });
  return {
    outage: breaker.outage,
    async call(request, judge, options) {
      const admitted: NotNow | { done(outcome: Outcome): void } = breaker.admit(options);
      if ('away' in admitted) return { ...admitted, made: false };
      let outcome: Outcome = 'odd';
      const started = performance.now();
      try {
        const judged = judge(await connection.send(request));
        outcome = judged.outcome;
        return { result: judged.result };
      } catch (error) {
        if (!(error instanceof NoReply)) throw error;
        // What a client asks for may be too much for this server: the legacy system is there.
        if (error.answered && options?.limited === false) outcome = 'later';
        return { away: error.message, made: true };
      } finally {
        admitted.done(outcome);
        const slow = performance.now() - started > legacy.floor;
        sightings?.answered(dialect, { outcome, slow, open: breaker.outage() !== undefined });
      }
    },
    close: connection.close,
  };
}
