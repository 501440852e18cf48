/**
 * What unauthenticated clients can make the server store: pending sign-ins, pushed requests, device codes,
 * new accounts. Each client address has a budget of each, counted in the shared store.
 *
 * Such budgets do not stop many addresses at once. So when more than half of Redis' memory is in use, they
 * shrink with the fourth power of the free share: an address that has used much waits, one that has used
 * nothing still gets in. The rest is left to sign-ins in progress.
 */
import type { Clock } from '../../core/clock.ts';
import { randomUUID, type Secrets } from '../../core/crypto.ts';
import { Refused } from '../../core/refused.ts';
import type { Stores } from '../../store/ports/stores.ts';
import { type Quota, secondsToWait, storeLimit } from './budgets.ts';

/** As configured under `strangers`. */
export type AnonymousLimits = Readonly<
  Record<'signIns' | 'pushedRequests' | 'deviceCodes' | 'accounts', Quota>
>;

export interface AnonymousBudgets {
  /**
   * Counts one, before the work. Refused('too-many-requests'). Resolves with a function that takes the count
   * back, for when nothing was stored or the client proved to be authenticated; it never rejects.
   */
  count(what: keyof AnonymousLimits, address: string): Promise<() => Promise<void>>;
}

/** Seconds: memory may be free again long before the window of an address is over. */
const SOON = 60;

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
      // Accounts lie where there is room.
      const share = what === 'accounts' ? 1 : shareAt(await stores.fullness());
      const { limit, window } = storeLimit(limits[what]);
      const shrunk = { limit: Math.floor(limit * share), window };
      const taken = await stores.rateLimits.take(key, mark, shrunk, clock.now());
      if (!taken.allowed) {
        const wait = secondsToWait(taken);
        throw new Refused('too-many-requests', { retryAfter: share < 1 ? Math.min(wait, SOON) : wait });
      }
      return () => stores.rateLimits.giveBack(key, mark).catch(() => undefined);
    },
  };
}

function shareAt(fullness: number): number {
  return Math.min(1, 2 * Math.max(0, 1 - fullness)) ** 4;
}
