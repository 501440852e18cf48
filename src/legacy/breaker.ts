/**
 * How much a legacy system is asked, by this node. Calls past `concurrency` or `rate` are not made; after five odd
 * answers in a row, or ten of the last twenty, none is made but one every five seconds, until one goes well.
 */
import type { Clock } from '../core/clock.ts';

/** Milliseconds between two tries while the breaker is open. */
const PROBE_EVERY = 5000;
const ODD_IN_A_ROW = 5;
const REMEMBERED = 20;

/** `later`: it is there and has no time: neither good nor odd. */
export type Outcome = 'good' | 'odd' | 'later';

/** Why a call is not made. `retryAfter`: seconds. */
export interface NotNow {
  readonly away: string;
  readonly retryAfter: number;
}

export interface Breaker {
  /**
   * `done` is called once, when the call has ended. `limited`: false for what passes through, which is as much as the
   * clients send; it waits for a connection.
   */
  admit(options?: { readonly limited?: boolean }): NotNow | { done(outcome: Outcome): void };
  /** Seconds until the next try; undefined while calls are made. */
  outage(): number | undefined;
}

export interface BreakerOptions {
  readonly clock: Clock;
  readonly concurrency: number;
  readonly rate: { readonly limit: number; readonly milliseconds: number };
  /** Told when it opens and when it closes. */
  readonly changed: (open: boolean) => void;
}

export function createBreaker({ clock, concurrency, rate, changed }: BreakerOptions): Breaker {
  const now = () => clock.now().getTime();
  /** The last outcomes, the newest last; true: odd. */
  let odd: boolean[] = [];
  let openSince: number | undefined;
  let triedAt = 0;
  let running = 0;
  /** When the last calls were made, the oldest first. */
  const made: number[] = [];

  const secondsTo = (time: number) => Math.max(1, Math.ceil((time - now()) / 1000));
  const outage = () => (openSince === undefined ? undefined : secondsTo(triedAt + PROBE_EVERY));

  function whyNot(limited: boolean): NotNow | undefined {
    const at = now();
    if (openSince !== undefined && at - triedAt < PROBE_EVERY) {
      return { away: 'the breaker is open', retryAfter: secondsTo(triedAt + PROBE_EVERY) };
    }
    if (!limited) return undefined;
    if (running >= concurrency) return { away: 'as many calls as are allowed at once', retryAfter: 1 };
    while (made[0] !== undefined && at - made[0] >= rate.milliseconds) made.shift();
    const [oldest] = made;
    if (made.length < rate.limit || oldest === undefined) return undefined;
    return {
      away: 'as many calls as are allowed in this time',
      retryAfter: secondsTo(oldest + rate.milliseconds),
    };
  }

  function note(outcome: Outcome): void {
    if (outcome === 'later') return;
    odd = [...odd, outcome === 'odd'].slice(-REMEMBERED);
    if (openSince !== undefined) {
      if (outcome === 'odd') return;
      openSince = undefined;
      odd = [];
      changed(false);
      return;
    }
    const inARow = odd.length >= ODD_IN_A_ROW && odd.slice(-ODD_IN_A_ROW).every(Boolean);
    const halfOfAll = odd.length === REMEMBERED && odd.filter(Boolean).length >= REMEMBERED / 2;
    if (!inARow && !halfOfAll) return;
    openSince = now();
    triedAt = openSince;
    changed(true);
  }

  return {
    outage,
    admit({ limited = true } = {}) {
      const reason = whyNot(limited);
      if (reason !== undefined) return reason;
      const at = now();
      triedAt = at;
      if (limited) made.push(at);
      if (limited) running += 1;
      let over = false;
      return {
        done(outcome) {
          if (over) return;
          over = true;
          if (limited) running -= 1;
          note(outcome);
        },
      };
    },
  };
}
