/** Asking for the password again, before a change or a deletion: a door like sign-in, with its counters. */
import type { Identity, RequestOrigin } from '../context.ts';
import { judged, openAttempt } from './attempt.ts';
import { verifyPassword } from './verify-password.ts';

/**
 * True if it is the account's. A wrong one counts as a failed sign-in of this account; an account without a
 * password takes the same work and is wrong. Refused('too-many-requests' | 'unavailable').
 */
export async function checkPassword(
  identity: Identity,
  wanted: { accountId: string; password: string; origin: RequestOrigin },
): Promise<boolean> {
  const { accountId, password, origin } = wanted;
  const account = await identity.stores.accounts.byId(accountId);
  const organization = account?.organization ?? '';
  const attempt = await openAttempt(identity, {
    organization,
    account,
    name: accountId,
    origin,
    factor: 'pwd',
  });
  const { right } = await judged(attempt, () =>
    verifyPassword(identity, { organization, account, password, admitted: true }),
  );
  await (right ? attempt.succeeded(accountId) : attempt.failed());
  if (right) return true;
  identity.audit.write({
    event: 'password.check',
    outcome: 'refused',
    organization,
    subject: accountId,
    clientId: origin.clientId,
    address: origin.address,
    requestId: origin.requestId,
    detail: { door: origin.door },
  });
  return false;
}
