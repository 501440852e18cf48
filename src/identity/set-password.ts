/** Setting passwords, and what must end with the old one. */
import type { AccountRecord } from '../store/ports.ts';
import { noteChange } from './audit-line.ts';
import type { Identity, RequestOrigin } from './identity.ts';
import { Refused } from './refusal.ts';
import { sendLetter } from './send-letter.ts';
import { RESET } from './tickets.ts';
import { updateAccount } from './update-account.ts';

/**
 * Sets the password, makes an inactive account active (a blocked one stays blocked), ends every grant and
 * browser session but the ones to keep, and every reset link. `change`: further changes in the same step.
 * `letter`: tells the owner. `origin`: given, the audit line is written. `minimum`: code points. Who may do this is the caller's affair.
 * Refused('password-too-short' | 'password-too-common' | 'unavailable' | 'account-not-found').
 */
export async function setPassword(
  identity: Identity,
  wanted: {
    accountId: string;
    password: string;
    minimum: number;
    keep?: { grantId?: string; sessionUid?: string };
    letter?: 'password-changed' | 'password-reset-done';
    change?: (account: AccountRecord) => AccountRecord;
    origin?: RequestOrigin;
  },
): Promise<AccountRecord> {
  const { accountId, password, minimum, change = (account) => account } = wanted;
  const before = await identity.stores.accounts.byId(accountId);
  if (before === undefined) throw new Refused('account-not-found');
  await judgePassword(identity, { password, minimum, organization: before.organization });
  const passwordHash = await identity.hasher.hash(password);
  const account = await updateAccount(identity, accountId, (present) => ({
    ...change(present),
    passwordHash,
    status: present.status === 'inactive' ? 'active' : present.status,
  }));
  // After the new password is in force, so that nobody comes in again with the old one meanwhile.
  await Promise.all([
    identity.access.endAll(accountId, wanted.keep),
    identity.stores.tickets.removeByAccount(accountId, RESET),
    identity.stores.codes.removeByAccount(accountId),
  ]);
  const { organization } = account;
  if (wanted.origin !== undefined) {
    noteChange(identity, { event: 'password.set', organization, subject: accountId, origin: wanted.origin });
  }
  if (wanted.letter !== undefined) sendLetter(identity, { account, name: wanted.letter });
  return account;
}

/** Refused('password-too-short' | 'password-too-common'); the organization's own name is too common. */
export async function judgePassword(
  identity: Identity,
  wanted: { password: string; minimum: number; organization: string },
): Promise<void> {
  const { password, minimum, organization } = wanted;
  const name = (await identity.stores.organizations.byId(organization))?.name;
  const verdict = identity.policy.judge(password, {
    minimum,
    ...(name === undefined ? {} : { organizationName: name }),
  });
  if (verdict === 'too-short') throw new Refused('password-too-short');
  if (verdict === 'too-common') throw new Refused('password-too-common');
}
