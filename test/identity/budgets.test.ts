/** B6: budgets are held before the work. The nodes' counters at the channels are in test/nodes/budgets.test.ts. */
import { setTimeout as pause } from 'node:timers/promises';
import { expect } from 'chai';
import { createBudgets, type Hold } from '../../src/identity/rate-limits/budgets.ts';
import type { Budget } from '../../src/store/ports/rate-limits.ts';
import { openWorld, type World } from './world.ts';

const LIMIT = { limit: 10, window: 60_000 };

describe('a budget', () => {
  let world: World;
  let keys = 0;
  before(async () => {
    world = await openWorld();
  });
  after(() => world.close());

  const fresh = (kind: Budget['kind'] = 'sliding'): Budget => {
    keys += 1;
    return { key: `budget-${keys}`, limit: LIMIT, kind };
  };
  /** A process of its own on the same store. */
  const anotherProcess = () =>
    createBudgets({ store: world.identity.stores.rateLimits, clock: world.identity.clock });

  async function holdAll(budgets: readonly Budget[], process = world.identity.budgets) {
    const held = await process.hold(budgets);
    return 'holds' in held ? held.holds : undefined;
  }

  /** A request: holds, works for a moment, and ends. True if it was let in. */
  async function request(budget: Budget, how: 'charge' | 'release', process = world.identity.budgets) {
    const holds = await holdAll([budget], process);
    if (holds === undefined) return false;
    await pause(20);
    await Promise.all(holds.map((hold) => hold[how]()));
    return true;
  }

  const counts = (outcomes: readonly boolean[]) => outcomes.filter((letIn) => letIn).length;

  for (const kind of ['sliding', 'fixed'] as const) {
    it(`B6 lets in as many at once as may fail, from two processes, and no more after them (${kind})`, async () => {
      const budget = fresh(kind);
      const processes = [anotherProcess(), anotherProcess()];
      for (let i = 0; i < 4; i += 1) await request(budget, 'charge');
      const outcomes = await Promise.all(
        Array.from({ length: 100 }, (_, i) => request(budget, 'charge', processes[i % 2])),
      );
      expect(4 + counts(outcomes)).to.equal(LIMIT.limit);
      expect(await request(budget, 'release')).to.equal(false);
    });

    it(`B6 lets all in at once that succeed, however many they are (${kind})`, async () => {
      const budget = fresh(kind);
      for (let i = 0; i < LIMIT.limit - 4; i += 1) await request(budget, 'charge');
      const processes = [anotherProcess(), anotherProcess()];
      const outcomes = await Promise.all(
        Array.from({ length: 100 }, (_, i) => request(budget, 'release', processes[i % 2])),
      );
      expect(counts(outcomes)).to.equal(100);
    });
  }

  it('B6 says how long the charged ones stay, not those in flight', async () => {
    const budget = fresh();
    for (let i = 0; i < LIMIT.limit; i += 1) await request(budget, 'charge');
    world.pass(20);
    const held = await world.identity.budgets.hold([budget]);
    expect('full' in held && held.full.get(budget.key)?.retryAfter).to.equal(40_000);
  });

  it('B6 counts a request either in flight or as charged at every moment', async () => {
    const budget = fresh();
    const store = world.identity.stores.rateLimits;
    // The store takes its time for whatever ends a request.
    const slow = createBudgets({
      clock: world.identity.clock,
      store: {
        ...store,
        finish: async (mark, end, now) => {
          if (end.charge !== undefined) await pause(30);
          await store.finish(mark, end, now);
          if (end.charge === undefined) await pause(30);
        },
      },
    });
    const ending: Hold[] = [];
    for (let i = 0; i < LIMIT.limit; i += 1) ending.push(...((await holdAll([budget], slow)) ?? []));
    const charged = Promise.all(ending.map((hold) => hold.charge()));
    const others = await Promise.all(
      Array.from({ length: 20 }, async (_, i) => {
        await pause(i * 5);
        return request(budget, 'charge');
      }),
    );
    await charged;
    expect(counts(others)).to.equal(0);
  });

  it('B6 of several is held as a whole or not at all', async () => {
    const [full, roomy] = [fresh(), fresh()];
    for (let i = 0; i < LIMIT.limit; i += 1) await request(full, 'charge');
    for (let i = 0; i < 3 * LIMIT.limit; i += 1) expect(await holdAll([roomy, full])).to.equal(undefined);
    const holds = await Promise.all(Array.from({ length: LIMIT.limit }, () => holdAll([roomy])));
    expect(holds).to.not.include(undefined);
  });

  it('B6 comes back when the process that held it died', async () => {
    const budget = fresh();
    for (let i = 0; i < LIMIT.limit; i += 1) await holdAll([budget], anotherProcess());
    world.pass(301);
    expect(await request(budget, 'release')).to.equal(true);
  });
});
