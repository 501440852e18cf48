/**
 * The budgets of emails that any client may request for any mailbox. Counted by client address, so that one
 * client cannot mail everyone; by mailbox and client address, so that an attacker uses up only its own share
 * of a person's emails; and by mailbox, so that many clients cannot flood one. A client over a budget is
 * told so. The key of a mailbox is what was typed, never its account: the answer is the same with or without
 * one.
 */
import { randomUUID } from '../../core/crypto.ts';
import { Refused } from '../../core/refused.ts';
import type { Identity } from '../context.ts';
import { type Quota, secondsToWait, storeLimit } from '../rate-limits/budgets.ts';

/** How many client addresses may use up their share of one mailbox. */
const SHARES = 4;

/**
 * Takes one email of each budget, or none. `mailbox`: whose emails these are, an account or a name as it was
 * typed. Refused('too-many-requests'), about emails.
 */
export async function takeEmail(
  identity: Identity,
  input: { mailbox: readonly string[]; address: string; what: 'codes' | 'resets' | 'confirmations' },
): Promise<void> {
  const { mailbox, address, what } = input;
  const { [what]: quota, codesPerAddress, perAddress } = identity.emailLimits;
  const { limit, window } = quota;
  const budgets: [owner: readonly string[], Quota][] = [
    [['address', address], what === 'codes' ? codesPerAddress : perAddress],
    [['share', address, ...mailbox], quota],
    [['mailbox', ...mailbox], { limit: limit * SHARES, window }],
  ];
  const { rateLimits } = identity.stores;
  const mark = randomUUID();
  const taken: string[] = [];
  for (const [owner, budget] of budgets) {
    const key = `email-budget:${identity.secrets.hmac('email-budget', JSON.stringify([owner, budget]))}`;
    const outcome = await rateLimits.take(key, mark, storeLimit(budget), identity.clock.now());
    if (!outcome.allowed) {
      await Promise.all(taken.map((other) => rateLimits.giveBack(other, mark)));
      throw new Refused('too-many-requests', { retryAfter: secondsToWait(outcome), about: 'emails' });
    }
    taken.push(key);
  }
}
