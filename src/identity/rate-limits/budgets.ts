/**
 * A budget is a rate limit towards which only some outcomes count: failed sign-ins, wrong link tokens. It is
 * held before the work, and the outcome is charged after it. If it were only read before the work, a
 * thousand concurrent requests would all pass.
 *
 * The store counts requests in flight beside those charged. Work begins while the sum is below the limit,
 * which the store decides atomically, so no more requests than the limit are ever judged.
 *
 * A budget filled by charges refuses at once. A budget filled only together with requests in flight waits for
 * their outcome: concurrent honest sign-ins from one clinic all succeed.
 */
import { randomUUID } from 'node:crypto';
import { setTimeout as pause } from 'node:timers/promises';
import type { Clock } from '../../core/clock.ts';
import { Refused } from '../../core/refused.ts';
import type { Budget, FlightEnd, Limit, RateLimitStore, Taken } from '../../store/ports/rate-limits.ts';

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

/** Exactly one of the two must be called. One that is forgotten, with its process for instance, lapses. */
export interface Hold {
  /** The outcome counts. */
  charge(): Promise<void>;
  release(): Promise<void>;
}

/** Ended one by one through `holds`, or all in one call to the store through `finish`. */
export interface HeldBudgets {
  /** One per budget, in their order. */
  readonly holds: readonly Hold[];
  finish(end: FlightEnd): Promise<void>;
}

/** `full`: what is charged to those that are; nothing is held. */
export type Held = HeldBudgets | { readonly full: ReadonlyMap<Budget['key'], Taken> };

export interface Budgets {
  /** All or none. May take as long as the requests that are in flight. */
  hold(budgets: readonly Budget[]): Promise<Held>;
  /** What is charged. */
  read(budget: Budget): Promise<Taken>;
}

/** Milliseconds after which a flight counts as lost: longer than any request waits and works. */
const FLIGHT = 300_000;
/** Milliseconds for which a request waits for the outcome of others. */
const PATIENCE = 30_000;
/** Milliseconds between two looks. */
const LOOK_EVERY = 10;
/** What a request hears that waited for so long: come again in a second. */
const OUT_OF_PATIENCE: Taken = { allowed: false, count: 0, retryAfter: 1_000 };

const NOTHING_HELD: HeldBudgets = { holds: [], finish: async () => {} };

/** `busy`: a budget that lacks room, but only because of others in flight. */
type Tried = Held | { readonly busy: Budget['key'] };

/** Requests that wait for one budget. `full`: what the first of them found; it is true for all. */
interface Line {
  last: Promise<unknown>;
  full?: Taken | undefined;
}

/** One per process: of those that wait for the same budget only the first in line asks the store. */
export function createBudgets({ store, clock }: { store: RateLimitStore; clock: Clock }): Budgets {
  const lines = new Map<Budget['key'], Line>();

  const read = ({ key, limit, kind }: Budget) =>
    kind === 'fixed' ? store.peekWindow(key, limit, clock.now()) : store.peek(key, limit, clock.now());

  async function tryOnce(budgets: readonly Budget[]): Promise<Tried> {
    const mark = randomUUID();
    const standings = await store.hold(budgets, { mark, lifetime: FLIGHT }, clock.now());
    const busy = budgets.find((_, at) => standings[at]?.room === false);
    if (busy === undefined) {
      const finish = (end: FlightEnd) => store.finish(mark, end, clock.now());
      const holds = budgets.map((budget) => ({
        charge: () => finish({ charge: [budget] }),
        release: () => finish({ release: [budget] }),
      }));
      return { holds, finish };
    }
    const full = budgets.flatMap(({ key }, at): [string, Taken][] => {
      const charged = standings[at]?.charged;
      return charged === undefined || charged.allowed ? [] : [[key, charged]];
    });
    return full.length === 0 ? { busy: busy.key } : { full: new Map(full) };
  }

  /** Tries again while the budget of this line is the one that lacks room. */
  async function look(key: string, budgets: readonly Budget[], end: number): Promise<Tried> {
    for (;;) {
      const tried = await tryOnce(budgets);
      if (!('busy' in tried) || tried.busy !== key || performance.now() >= end) return tried;
      await pause(LOOK_EVERY);
    }
  }

  /** First come, first served. */
  async function standInLine(key: string, budgets: readonly Budget[], end: number): Promise<Tried> {
    const line: Line = lines.get(key) ?? { last: Promise.resolve() };
    lines.set(key, line);
    const mine = line.last.then(async (): Promise<Tried> => {
      if (line.full !== undefined) return { full: new Map([[key, line.full]]) };
      const tried = await look(key, budgets, end);
      if ('full' in tried) line.full = tried.full.get(key);
      return tried;
    });
    const gone = mine.then(
      () => {},
      () => {},
    );
    line.last = gone;
    try {
      return await mine;
    } finally {
      if (line.last === gone) lines.delete(key);
    }
  }

  return {
    read,
    async hold(budgets) {
      if (budgets.length === 0) return NOTHING_HELD;
      const end = performance.now() + PATIENCE;
      let key = budgets.find((budget) => lines.has(budget.key))?.key;
      for (;;) {
        const tried = await (key === undefined ? tryOnce(budgets) : standInLine(key, budgets, end));
        if (!('busy' in tried)) return tried;
        key = tried.busy;
        if (performance.now() >= end) return { full: new Map([[key, OUT_OF_PATIENCE]]) };
      }
    },
  };
}
