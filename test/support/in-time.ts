/**
 * Bounds that a requirement gives in seconds. Whatever else the machine does only ever adds time, so one of a
 * few attempts has to keep every bound; all that is not time must hold in each attempt.
 */
import { setTimeout as wait } from 'node:timers/promises';
import { expect } from 'chai';

export interface Stopwatch {
  /** `took` and `bound` in milliseconds. */
  within(what: string, took: number, bound: number): void;
  /** Runs `work` and holds the time it took against the bound. */
  around<Result>(what: string, bound: number, work: () => Result | Promise<Result>): Promise<Result>;
}

/** Fails when none of the attempts kept all its bounds, and at once when an attempt throws. */
export async function inTime(attempt: (watch: Stopwatch) => Promise<void>, attempts = 3): Promise<void> {
  let late: string[] = [];
  for (let i = 0; i < attempts; i += 1) {
    late = [];
    await attempt(stopwatch(late));
    if (late.length === 0) return;
  }
  expect.fail(`Too late in each of ${attempts} attempts: ${late.join('; ')}.`);
}

function stopwatch(late: string[]): Stopwatch {
  const within: Stopwatch['within'] = (what, took, bound) => {
    if (took > bound) late.push(`${what} took ${Math.round(took)} ms, not ${bound}`);
  };
  return {
    within,
    async around(what, bound, work) {
      const begun = performance.now();
      const result = await work();
      within(what, performance.now() - begun, bound);
      return result;
    },
  };
}

/** Checks again and again what happens on its own, until the check passes or `seconds` are over; resolves with its result. */
export async function eventually<Result>(
  check: () => Result | Promise<Result>,
  seconds = 10,
): Promise<Result> {
  for (const end = performance.now() + seconds * 1000; ; await wait(20)) {
    try {
      return await check();
    } catch (error) {
      if (performance.now() > end) throw error;
    }
  }
}
