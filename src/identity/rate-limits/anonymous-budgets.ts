/**
 * What unauthenticated clients can make the server store: pending sign-ins, pushed requests, device codes,
 * new accounts. Each client address has a budget of each, counted in the shared store.
 *
 * Such budgets do not stop many addresses at once. So from half of Redis' memory in use they shrink with the
 * fourth power of what is free: an address that has used much waits, one that has used nothing still gets in.
 * The last 5 percent are for sign-ins in progress.
 */
import type { Clock } from '../../core/clock.ts';
import { randomUUID, type Secrets } from '../../core/crypto.ts';
import { Refused } from '../../core/refused.ts';
import type { Stores } from '../../store/ports/stores.ts';
import { type Quota, secondsToWait, storeLimit } from './budgets.ts';

/** As configured under `strangers`. */
export type AnonymousLimits = Readonly<
  Record<
    'signIns' | 'pushedRequests' | 'deviceCodes' | 'accounts' | 'clientDocuments' | 'registrations',
    Quota
  >
>;

export interface AnonymousBudgets {
  /**
   * Counts one, before the work. Refused('too-many-requests'). Resolves with a function that takes the count
   * back, for when nothing was stored or the client proved to be authenticated; it never rejects.
   */
  count(what: keyof AnonymousLimits, address: string): Promise<() => Promise<void>>;
}

/** They lie where there is room. */
const LASTING: ReadonlySet<keyof AnonymousLimits> = new Set(['accounts', 'registrations']);

/** Seconds: memory may be free again long before the window of an address is over. */
const SOON = 60;

/** From this share of memory in use on, the rest is for sign-ins in progress. */
const RESERVED = 0.95;

export function createAnonymousBudgets(options: {
  stores: Pick<Stores, 'rateLimits' | 'fullness'>;
  clock: Clock;
  limits: AnonymousLimits;
  secrets: Secrets;
}): AnonymousBudgets {
  const { stores, clock, limits, secrets } = options;
  return {
    async count(what, address) {
      const key = `strangers:${secrets.hmac('strangers', JSON.stringify([what, address]))}`;
      const mark = randomUUID();
      const fullness = LASTING.has(what) ? 0 : await stores.fullness();
      const { limit, window } = storeLimit(limits[what]);
      const shrunk = { limit: shrink(limit, fullness), window };
      const taken = await stores.rateLimits.take(key, mark, shrunk, clock.now());
      if (!taken.allowed) {
        const wait = secondsToWait(taken);
        throw new Refused('too-many-requests', {
          retryAfter: shrunk.limit < limit ? Math.min(wait, SOON) : wait,
        });
      }
      return () => stores.rateLimits.giveBack(key, mark).catch(() => undefined);
    },
  };
}

function shrink(limit: number, fullness: number): number {
  if (fullness >= RESERVED) return 0;
  const share = Math.min(1, (RESERVED - fullness) / (RESERVED - 0.5)) ** 4;
  return Math.max(1, Math.floor(limit * share));
}
