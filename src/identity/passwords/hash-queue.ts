/**
 * Bounds how much expensive work runs at once and how much waits. Without the second bound a flood of
 * sign-ins fills the memory with waiting passwords and answers each of them minutes too late.
 */
import { Refused } from '../../core/refused.ts';

export type RunInSlot = <T>(work: () => Promise<T>) => Promise<T>;

/** `size` pieces of work run at once and `queue` wait; the next one gets Refused('unavailable'). First come, first served. */
export function createWorkSlots({ size, queue }: { size: number; queue: number }): RunInSlot {
  let running = 0;
  const waiting: (() => void)[] = [];
  return async (work) => {
    if (running < size) running += 1;
    else {
      if (waiting.length >= queue) {
        throw new Refused('unavailable', { retryAfter: 5, detail: 'Too many passwords wait to be hashed.' });
      }
      // The slot is handed over by the one that ends: `running` stays.
      await new Promise<void>((resume) => waiting.push(resume));
    }
    try {
      return await work();
    } finally {
      const next = waiting.shift();
      if (next === undefined) running -= 1;
      else next();
    }
  };
}
