/** Setting passwords, and what must end with the old one. */

import { Refused } from '../../core/refused.ts';
import type { AccountRecord } from '../../model/account.ts';
import { hashNewPassword } from '../accounts/judge-password.ts';
import { withOwnAuthority } from '../accounts/password-authority.ts';
import { updateAccount } from '../accounts/update-account.ts';
import { recordEvent } from '../audit/audit.ts';
import { RESET } from '../codes/link-token.ts';
import type { Identity, RequestContext } from '../context.ts';
import { sendEmail } from '../emails/send-email.ts';
import { withoutDevices } from '../factors/remembered-devices.ts';

interface Setting {
  readonly accountId: string;
  readonly keep?: { readonly grantId?: string; readonly sessionUid?: string };
  /** Tells the owner. */
  readonly email?: 'password-changed' | 'password-reset-done';
  /** Further changes in the same step. */
  readonly change?: (account: AccountRecord) => AccountRecord;
  /** Given, the audit line is written. */
  readonly context?: RequestContext | undefined;
}

/** As storePassword, of a password that is judged and hashed first. `minimum`: code points. */
export async function setPassword(
  identity: Identity,
  { password, minimum, ...setting }: Setting & { password: string; minimum: number },
): Promise<AccountRecord> {
  const account = await identity.stores.accounts.byId(setting.accountId);
  if (account === undefined) throw new Refused('account-not-found');
  const { organization } = account;
  const passwordHash = await hashNewPassword(identity, { password, minimum, organization });
  return storePassword(identity, { ...setting, passwordHash });
}

/**
 * Sets the password, makes an inactive account active (a blocked one stays blocked), ends every grant and
 * browser session but the ones to keep, and every reset link; no browser is remembered any more. Who may do this is
 * the caller's affair. Refused('account-not-found').
 */
export async function storePassword(
  identity: Identity,
  input: Setting & { passwordHash: string },
): Promise<AccountRecord> {
  const { accountId, passwordHash, change = (account) => account } = input;
  const account = await updateAccount(identity, accountId, (present) => ({
    ...withoutDevices(withOwnAuthority(change(present))),
    passwordHash,
    status: present.status === 'inactive' ? 'active' : present.status,
  }));
  // After the new password is in force, so that no sign-in with the old one slips in between.
  await Promise.all([
    identity.access.endAll(accountId, input.keep),
    identity.stores.linkTokens.removeByAccount(accountId, RESET),
    identity.stores.codes.removeByAccount(accountId),
  ]);
  const { organization } = account;
  const { context, email } = input;
  if (context !== undefined)
    recordEvent(identity, { event: 'password.set', organization, subject: accountId, context });
  if (email !== undefined) sendEmail(identity, { account, name: email });
  return account;
}
