import { randomUUID } from 'node:crypto';
import type { Budget } from '../../../src/store/ports/rate-limits.ts';
import type { Stores } from '../../../src/store/ports/stores.ts';

/** Work of more than one call that a racer does in its own process. */
export interface Procedures {
  /** Reads an account, adds one to its counter and writes it back, until nobody was faster. */
  raiseCounter(stores: Stores, accountId: string): Promise<number>;
  /** The same for the keyring. */
  appendToKeyring(stores: Stores, line: string): Promise<number>;
  /** Holds a budget and charges it. True if there was room. */
  holdAndCharge(stores: Stores, budget: Budget, now: Date): Promise<boolean>;
  migrate(stores: Stores): Promise<'migrated'>;
  /** Adds one to a day of a dialect. */
  countUsage(stores: Stores, day: string, dialect: string): Promise<void>;
}

export const procedures: Procedures = {
  countUsage: (stores, day, dialect) =>
    stores.usage.change(day, dialect, (before) => String(Number(before ?? 0) + 1)),
  async raiseCounter(stores, accountId) {
    for (let tries = 1; ; tries += 1) {
      const account = await stores.accounts.byId(accountId);
      if (!account) throw new Error('The account is gone.');
      account.vendor = { test: { counter: Number(account.vendor.test?.counter ?? 0) + 1 } };
      if ((await stores.accounts.update(account)) === 'updated') return tries;
    }
  },
  async appendToKeyring(stores, line) {
    for (let tries = 1; ; tries += 1) {
      const now = await stores.keyring.read();
      const text = now ? `${now.encrypted}\n${line}` : line;
      if (await stores.keyring.write(text, now?.version ?? 0)) return tries;
    }
  },
  async holdAndCharge({ rateLimits }, budget, now) {
    const mark = randomUUID();
    const [standing] = await rateLimits.hold([budget], { mark, lifetime: 300_000 }, now);
    if (standing?.room) await rateLimits.finish(mark, { charge: [budget] }, now);
    return standing?.room === true;
  },
  async migrate(stores) {
    await stores.migrate();
    return 'migrated';
  },
};
