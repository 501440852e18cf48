/** Blocking, releasing and setting accounts inactive: an operator's act. */
import type { AccountRecord, AccountStatus } from '../../model/account.ts';
import { recordEvent } from '../audit/audit.ts';
import type { Identity, RequestContext } from '../context.ts';
import { endAccess, endEmails } from './revoke-access.ts';
import { updateAccount } from './update-account.ts';

/**
 * Blocking ends grants, sessions, API keys, codes and link tokens at once; releasing gives none of them back.
 * Links to upstream identities stay. Refused('account-not-found').
 */
export async function setStatus(
  identity: Identity,
  input: { accountId: string; status: AccountStatus; context?: RequestContext },
): Promise<AccountRecord> {
  const { accountId, status, context } = input;
  const account = await updateAccount(identity, accountId, (present) => ({ ...present, status }));
  if (status === 'blocked') {
    await Promise.all([endAccess(identity, accountId), endEmails(identity, accountId)]);
  }
  const { organization } = account;
  const subject = accountId;
  recordEvent(identity, { event: 'account.status', organization, subject, context, detail: { status } });
  return account;
}
