/**
 * Throttle and lockout after failed sign-ins (brute force): one policy for every channel that checks a secret
 * (hosted pages, dialects, codes, password change), counted in the shared store. Five sliding counters, all
 * held before the work and charged by failure alone (budgets.ts):
 *
 * - pair: login and client address. Cleared by success.
 * - login: from all addresses. Not applied to addresses from which this account signed in within the last 30
 *   days (29 at least: the store notes an address once a day), so that a stranger cannot lock its owner out.
 * - address: over all logins.
 * - second: wrong second factors of a login in a row, from all addresses, without an exception: they come from a
 *   client that has the first one. Cleared by a right second factor alone.
 * - codes: wrong one-time codes of a login, from all addresses and over a long time, with the same exception as
 *   login. Each new code gives new tries; this is what a patient guesser has in all.
 *
 * A login is the account that the sent name leads to. Where there is none it is the organization and the
 * folded name, so that both look alike. Counters that cannot be reached throw StoreUnavailable: the answer is
 * 503, never a free try. Keys are hashed under the server's key: a dump shows neither names nor addresses.
 */
import type { Clock } from '../../core/clock.ts';
import type { Secrets } from '../../core/crypto.ts';
import { foldName } from '../../core/text.ts';
import type { Budget, RateLimitStore } from '../../store/ports/rate-limits.ts';
import { type Budgets, type HeldBudgets, type Hold, type Quota, storeLimit, tooMany } from './budgets.ts';

/** As configured under `attempts`. */
export type AttemptLimits = Readonly<Record<'pair' | 'address' | 'login' | 'codes', Quota>>;

/** `accountId`: the account that the name leads to, if it leads to one. `address`: canonical. */
export interface Tried {
  readonly organization: string;
  readonly accountId?: string | undefined;
  readonly name: string;
  readonly address: string;
  /** The secret is a one-time code. */
  readonly code?: boolean;
  /** It is a second factor. */
  readonly second?: boolean;
}

export interface Attempts {
  /** Opens a try, before any work. Refused('too-many-requests') over a limit; such a call leaves no count. */
  begin(who: Tried): Promise<Attempt>;
  /** For channels that tell whether a name is taken: refused while a try would be, and never counted. Refused('too-many-requests'). */
  check(who: Tried): Promise<void>;
  /** For channels that judge nothing. Refused('too-many-requests') while the address has too many failures. */
  checkAddress(address: string): Promise<void>;
  /** Opens a try at a channel where only the client address counts. Refused('too-many-requests'). */
  beginAt(address: string): Promise<Hold>;
}

/** Exactly one of the three must be called. */
export interface Attempt {
  /** Clears the pair, and remembers the address as one of the account's. */
  succeeded(accountId: string): Promise<void>;
  /** 'codes-used-up': no more codes are tried for a long time; 'second-used-up': no second factor for a while. */
  failed(): Promise<'counted' | 'codes-used-up' | 'second-used-up'>;
  /** The secret was never judged (too many hashes waiting, store gone): nothing counts. */
  abandoned(): Promise<void>;
}

/** Wrong second factors in a row. */
const SECOND: Quota = { limit: 5, window: 900 };

/** Milliseconds. */
const DAY = 24 * 3600 * 1000;
const KNOWN_ADDRESS_FOR = 30 * DAY;

export function createAttempts(options: {
  store: RateLimitStore;
  budgets: Budgets;
  clock: Clock;
  limits: AttemptLimits;
  secrets: Secrets;
}): Attempts {
  const { store, budgets, clock, secrets, limits } = options;
  const key = (...parts: string[]) => `attempts:${secrets.hmac('attempts', JSON.stringify(parts))}`;
  const quotas = { ...limits, second: SECOND };
  const budgetOf = (counter: keyof typeof quotas, ...whose: string[]): Budget => ({
    key: key(counter, ...whose),
    limit: storeLimit(quotas[counter]),
    kind: 'sliding',
  });
  const seenKey = (login: string, address: string) => key('seen', login, address);

  async function hold(input: readonly Budget[]): Promise<HeldBudgets> {
    const held = await budgets.hold(input);
    if ('holds' in held) return held;
    throw tooMany([...held.full.values()]);
  }

  async function refuseWhenFull(...input: Budget[]): Promise<void> {
    const charged = await Promise.all(input.map(budgets.read));
    const full = charged.filter(({ allowed }) => !allowed);
    if (full.length > 0) throw tooMany(full);
  }

  return {
    checkAddress: (address) => refuseWhenFull(budgetOf('address', address)),
    async beginAt(address) {
      const [one] = (await hold([budgetOf('address', address)])).holds;
      if (one === undefined) throw new Error('A budget was held without a hold.');
      return one;
    },
    async check(who) {
      const login = loginOf(who);
      const { address } = who;
      const known = await store.rememberedUntil(seenKey(login, address), clock.now());
      const input = [budgetOf('pair', login, address), budgetOf('address', address)];
      await refuseWhenFull(...input, ...(known ? [] : [budgetOf('login', login)]));
    },
    async begin(who) {
      const { organization, accountId, name, address } = who;
      const login = loginOf(who);
      const pair = budgetOf('pair', login, address);
      const codes = who.code === true ? [budgetOf('codes', login)] : [];
      const second = who.second === true ? [budgetOf('second', login)] : [];
      const ofLogin = () => [budgetOf('login', login), ...codes];
      const seen = seenKey(login, address);
      // Asked for unknown names too, so that both take the same round trips.
      const known = await store.rememberedUntil(seen, clock.now());
      const taken = [pair, budgetOf('address', address), ...second, ...(known ? [] : ofLogin())];
      const held = await hold(taken);
      return {
        async succeeded(id) {
          const until = new Date(clock.now().getTime() + KNOWN_ADDRESS_FOR);
          const isSame = id === accountId;
          const isNoted = isSame && known !== undefined && until.getTime() - known.getTime() < DAY;
          const seenNow = isSame ? seen : seenKey(loginOf({ organization, accountId: id, name }), address);
          await held.finish({
            release: taken,
            clear: [pair, ...second].map((each) => each.key),
            ...(!isNoted && { remember: { key: seenNow, until } }),
          });
        },
        async failed() {
          await held.finish({ charge: known ? [...taken, ...ofLogin()] : taken });
          const left = await Promise.all([...second, ...codes].map(budgets.read));
          const full = left.findIndex(({ allowed }) => !allowed);
          if (full === -1) return 'counted';
          return full < second.length ? 'second-used-up' : 'codes-used-up';
        },
        abandoned: () => held.finish({ release: taken }),
      };
    },
  };
}

function loginOf({ organization, accountId, name }: Omit<Tried, 'address'>): string {
  return JSON.stringify(
    accountId === undefined ? ['name', organization, foldName(name)] : ['account', accountId],
  );
}
