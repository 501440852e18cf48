/** What the limits of this server have in common: how they are configured, and how a client hears of one. */
import { Refused } from '../../core/refused.ts';
import type { Limit, Taken } from '../../store/ports/rate-limits.ts';

/** As configured; `window` in seconds. */
export interface Quota {
  readonly limit: number;
  readonly window: number;
}

/** As the store takes it: in milliseconds. */
export function storeLimit({ limit, window }: Quota): Limit {
  return { limit, window: window * 1000 };
}

/** The longest wait of those that are full, in whole seconds, at least 1. */
export function secondsToWait(...full: readonly Taken[]): number {
  return Math.max(1, ...full.map(({ retryAfter }) => Math.ceil(retryAfter / 1000)));
}

export function tooMany(full: readonly Taken[]): Refused {
  return new Refused('too-many-requests', { retryAfter: secondsToWait(...full) });
}
