/** Asking for the password again, before a change or a deletion: a channel like sign-in, with its counters. */
import { recordEvent } from '../audit/audit.ts';
import type { Identity, RequestContext } from '../context.ts';
import { refusalFor } from '../legacy/verdict.ts';
import { judged, openAttempt } from './attempt.ts';
import { judgeAccountPassword } from './with-password.ts';

/**
 * True if it is the account's. A wrong one counts as a failed sign-in of this account; an account without a
 * password takes the same work and is wrong. Refused('too-many-requests' | 'unavailable').
 */
export async function checkPassword(
  identity: Identity,
  input: { accountId: string; password: string; context: RequestContext },
): Promise<boolean> {
  const { accountId, password, context } = input;
  const account = await identity.stores.accounts.byId(accountId);
  const organization = account?.organization ?? '';
  const tried = { organization, account, name: accountId, context, factor: 'pwd' } as const;
  const attempt = await openAttempt(identity, tried);
  const login = account?.email ?? account?.username ?? '';
  const verdict = await judged(attempt, () =>
    judgeAccountPassword(identity, { organization, account, login, password, context, admits: () => true }),
  );
  const right = 'account' in verdict && verdict.account.id === accountId;
  await (right ? attempt.succeeded(accountId) : attempt.failed());
  if (right) return true;
  if ('away' in verdict) throw refusalFor(verdict, 'wrong-password');
  const refused = { event: 'password.check', outcome: 'refused', subject: accountId } as const;
  recordEvent(identity, { ...refused, organization, context });
  return false;
}
