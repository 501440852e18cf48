/**
 * What failed tries cost: one policy for every door that checks a secret (hosted pages, dialects, codes,
 * password change), counted in the shared store. Three sliding counters:
 *
 * - pair: login and client address. Taken before the work, cleared by success.
 * - login: from all addresses. Taken before the work, given back by success. Not applied to addresses from
 *   which this account signed in within the last 30 days, so that a stranger cannot lock its owner out.
 * - address: over all logins. Read before, charged after a failure: honest sign-ins in parallel from one
 *   clinic never refuse each other.
 *
 * A login is the account that the sent name leads to. Where there is none it is the organization and the
 * folded name, so that both look alike. Counters that cannot be reached throw StoreUnavailable: the answer is
 * 503, never a free try. Keys are hashed under the server's key: a dump shows neither names nor addresses.
 */
import { randomUUID } from 'node:crypto';
import type { Clock } from '../clock.ts';
import type { Secrets } from '../secrets.ts';
import type { AttemptStore, Limit, Taken } from '../store/ports.ts';
import { foldName } from './normalize.ts';
import { Refused } from './refusal.ts';

/** Windows in seconds, as configured under `attempts`. */
export interface AttemptLimits {
  readonly pair: { readonly limit: number; readonly window: number };
  readonly address: { readonly limit: number; readonly window: number };
  readonly login: { readonly limit: number; readonly window: number };
}

/** `accountId`: the account that the name leads to, if it leads to one. `address`: canonical. */
export interface Tried {
  readonly organization: string;
  readonly accountId?: string;
  readonly name: string;
  readonly address: string;
}

export interface Attempts {
  /**
   * Opens a try, before any work. Refused('too-many-requests') over a limit; such a call leaves no count.
   */
  begin(who: Tried): Promise<Attempt>;
  /** For doors that tell whether a name is taken: refused while a try would be, and never counted. Refused('too-many-requests'). */
  check(who: Tried): Promise<void>;
  /** For doors where only the client address counts. Refused('too-many-requests'). */
  checkAddress(address: string): Promise<void>;
  /** Counts a failure of such a door. */
  chargeAddress(address: string): Promise<void>;
}

/** Exactly one of the three must be called. */
export interface Attempt {
  /** Clears the pair, gives the login's count back, and remembers the address as one of the account's. */
  succeeded(accountId: string): Promise<void>;
  failed(): Promise<void>;
  /** The secret was never judged (too many hashes waiting, store gone): nothing counts. */
  abandoned(): Promise<void>;
}

const KNOWN_ADDRESS_FOR = 30 * 24 * 3600 * 1000;

export function createAttempts(options: {
  store: AttemptStore;
  clock: Clock;
  limits: AttemptLimits;
  secrets: Secrets;
}): Attempts {
  const { store, clock, secrets } = options;
  const limits = {
    pair: inMilliseconds(options.limits.pair),
    address: inMilliseconds(options.limits.address),
    login: inMilliseconds(options.limits.login),
  };
  const key = (...parts: string[]) => `attempts:${secrets.mac('attempts', JSON.stringify(parts))}`;
  const seenKey = (login: string, address: string) => key('seen', login, address);

  async function checkAddress(address: string): Promise<void> {
    refuseUnless(await store.peek(key('address', address), limits.address, clock.now()));
  }

  async function chargeAddress(address: string): Promise<void> {
    await store.take(key('address', address), randomUUID(), limits.address, clock.now());
  }

  return {
    checkAddress,
    chargeAddress,
    async check({ organization, accountId, name, address }) {
      const login = loginOf({ organization, accountId, name });
      const now = clock.now();
      const [, known, ofPair, ofLogin] = await Promise.all([
        checkAddress(address),
        store.remembered(seenKey(login, address), now),
        store.peek(key('pair', login, address), limits.pair, now),
        store.peek(key('login', login), limits.login, now),
      ]);
      refuseUnless(ofPair);
      if (!known) refuseUnless(ofLogin);
    },
    async begin({ organization, accountId, name, address }) {
      const login = loginOf({ organization, accountId, name });
      const pairKey = key('pair', login, address);
      const loginKey = key('login', login);
      const mark = randomUUID();
      // Asked for unknown names too, so that both take the same round trips.
      const [, known] = await Promise.all([
        checkAddress(address),
        store.remembered(seenKey(login, address), clock.now()),
      ]);
      refuseUnless(await store.take(pairKey, mark, limits.pair, clock.now()));
      const ofLogin = await store.take(loginKey, mark, limits.login, clock.now());
      if (!ofLogin.allowed && !known) {
        await store.giveBack(pairKey, mark);
        refuseUnless(ofLogin);
      }
      return {
        async succeeded(id) {
          const until = new Date(clock.now().getTime() + KNOWN_ADDRESS_FOR);
          await Promise.all([
            store.clear(pairKey),
            store.giveBack(loginKey, mark),
            store.remember(seenKey(loginOf({ organization, accountId: id, name }), address), until),
          ]);
        },
        failed: () => chargeAddress(address),
        async abandoned() {
          await Promise.all([store.giveBack(pairKey, mark), store.giveBack(loginKey, mark)]);
        },
      };
    },
  };
}

function loginOf(who: { organization: string; accountId: string | undefined; name: string }): string {
  const { organization, accountId, name } = who;
  return JSON.stringify(
    accountId === undefined ? ['name', organization, foldName(name)] : ['account', accountId],
  );
}

function inMilliseconds({ limit, window }: { limit: number; window: number }): Limit {
  return { limit, window: window * 1000 };
}

function refuseUnless(taken: Taken): void {
  if (taken.allowed) return;
  throw new Refused('too-many-requests', { retryAfter: Math.max(1, Math.ceil(taken.retryAfter / 1000)) });
}
