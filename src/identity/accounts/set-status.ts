/** Blocking, releasing and setting accounts inactive: an operator's act. */
import type { AccountRecord, AccountStatus } from '../../model/account.ts';
import { noteChange } from '../audit/audit.ts';
import type { Identity, RequestOrigin } from '../context.ts';
import { endAccess, endLetters } from './revoke-access.ts';
import { updateAccount } from './update-account.ts';

/**
 * Blocking ends grants, sessions, API keys, codes and tickets at once; releasing gives none of them back.
 * Links to upstream identities stay. Refused('account-not-found').
 */
export async function setStatus(
  identity: Identity,
  wanted: { accountId: string; status: AccountStatus; origin?: RequestOrigin },
): Promise<AccountRecord> {
  const { accountId, status, origin } = wanted;
  const account = await updateAccount(identity, accountId, (present) => ({ ...present, status }));
  if (status === 'blocked') {
    await Promise.all([endAccess(identity, accountId), endLetters(identity, accountId)]);
  }
  noteChange(identity, {
    event: 'account.status',
    organization: account.organization,
    subject: accountId,
    origin,
    detail: { status },
  });
  return account;
}
