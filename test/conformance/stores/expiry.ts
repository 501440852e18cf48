import { expect } from 'chai';
import { later } from './back-end.ts';

/**
 * Asks at moved clocks: a millisecond before the expiry the record is there, at the expiry and a second
 * after it is not. `alive` must only read.
 */
export async function expectExpiryAt(expiresAt: Date, alive: (now: Date) => Promise<boolean>): Promise<void> {
  const answers = [];
  for (const offset of [-1, 0, 1000, -1]) answers.push(await alive(later(expiresAt, offset)));
  expect(answers, 'at exp - 1 ms, exp, exp + 1 s, and exp - 1 ms again').to.deep.equal([
    true,
    false,
    false,
    true,
  ]);
}
