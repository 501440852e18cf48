/** What came of asking a legacy system about a secret, and how that is told. */
import { type Reason, Refused } from '../../core/refused.ts';
import type { AccountRecord } from '../../model/account.ts';
import { legacyAway } from './refused-alike.ts';
import type { TakenOver } from './take-over.ts';

/** `confirmed`: what the legacy system said. Absent: it was not asked. */
export type LegacyVerdict =
  | { readonly account: AccountRecord; readonly confirmed?: 'yes' | 'away' }
  | LegacyRefusal;

export type LegacyRefusal =
  | { readonly wrong: 'wrong' | 'not-admitted' | 'factor-needed'; readonly confirmed?: 'no' }
  | { readonly away: string; readonly retryAfter?: number };

export function verdictOf(taken: TakenOver, admits: (account: AccountRecord) => boolean): LegacyVerdict {
  if (taken === 'foreign') return { away: 'the id belongs to another organization' };
  if (typeof taken === 'string') return { wrong: taken === 'not-admitted' ? taken : 'wrong' };
  // It may have been blocked while the legacy system was asked.
  return admits(taken.account) ? { account: taken.account, confirmed: 'yes' } : { wrong: 'not-admitted' };
}

/** Of a refused sign-in, for the audit. A legacy system that is away has judged nothing. */
export function reasonOf(refusal: LegacyRefusal) {
  if ('away' in refusal) return { why: 'unavailable', confirmed: 'away' } as const;
  return { why: refusal.wrong, ...(refusal.confirmed && { confirmed: refusal.confirmed }) };
}

/** `wrong`: what is told when the secret is. */
export function refusalFor(refusal: LegacyRefusal, wrong: Reason): Refused {
  return 'away' in refusal ? legacyAway(refusal.retryAfter, refusal.away) : new Refused(wrong);
}
