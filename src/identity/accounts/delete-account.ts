/** Deleting an account for good, in every dialect. */

import { Refused } from '../../core/refused.ts';
import { passkeyHolder } from '../../model/factors.ts';
import { recordEvent } from '../audit/audit.ts';
import { queueRevocation } from '../codes/upstream-token.ts';
import type { Identity, RequestContext } from '../context.ts';
import { markGone } from './gone-people.ts';
import { endAccessForGood, endEmails } from './revoke-access.ts';
import { updateAccount } from './update-account.ts';

/**
 * Nothing about the person stays but the audit's pseudonym (the account id), and the marks of one whom a legacy
 * system knows. Address, names and upstream identities are free again. An account that is gone already is no error.
 */
export async function deleteAccount(
  identity: Identity,
  input: { accountId: string; context?: RequestContext },
): Promise<void> {
  const { accountId, context } = input;
  const { accounts, identities, presence } = identity.stores;
  const account = await accounts.byId(accountId);
  if (account === undefined) return;
  // Blocked first: if the server dies half way, the account stays shut and the deletion can be repeated.
  let blocked = account;
  try {
    blocked = await updateAccount(identity, accountId, (present) => ({ ...present, status: 'blocked' }));
  } catch (error) {
    if (!(error instanceof Refused) || error.reason !== 'account-not-found') throw error;
  }
  await endAccessForGood(identity, accountId);
  const links = await identities.listByAccount(accountId);
  const revokeTokens = () => Promise.all(links.map((link) => queueRevocation(identity, link)));
  await revokeTokens();
  await Promise.all([
    endEmails(identity, accountId),
    identities.removeByAccount(accountId),
    identities.removeByAccount(passkeyHolder(accountId)),
    presence.remove(accountId),
  ]);
  await markGone(identity, blocked);
  const removed = await accounts.remove(accountId);
  // Once more, for a sign-in that was under way when the account was blocked.
  await Promise.all([endAccessForGood(identity, accountId), revokeTokens()]);
  if (!removed) return;
  const { organization } = account;
  recordEvent(identity, { event: 'account.delete', organization, subject: accountId, context });
}
