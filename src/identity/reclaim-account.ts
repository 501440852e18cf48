/**
 * The real owner of an address arrives at an account that somebody made with it (pre-hijacking, Sudhodanan
 * and Paverd 2022): everything that was made before the proof goes. Id, name and profile stay.
 */
import type { AccountRecord } from '../store/ports.ts';
import { noteChange } from './audit-line.ts';
import { endAccessForGood, endLetters } from './end-holdings.ts';
import type { Identity } from './identity.ts';
import { updateAccount } from './update-account.ts';

/**
 * Removes password, grants, consents, sessions, API keys and upstream links (but the one that proves), then
 * marks the address verified: in this order, so that a server that dies half way leaves an account that is
 * reclaimed again, and no squatter with a verified address.
 */
export async function reclaimAccount(
  identity: Identity,
  wanted: { accountId: string; keep?: { issuer: string; subject: string } },
): Promise<AccountRecord> {
  const { accountId, keep } = wanted;
  await updateAccount(identity, accountId, ({ passwordHash: _gone, ...rest }) => rest);
  await Promise.all([
    endAccessForGood(identity, accountId),
    endLetters(identity, accountId),
    unlinkAllBut(identity, accountId, keep),
  ]);
  const account = await updateAccount(identity, accountId, (present) => ({
    ...present,
    emailVerified: true,
  }));
  const { organization } = account;
  noteChange(identity, { event: 'account.reclaim', organization, subject: accountId, origin: undefined });
  return account;
}

async function unlinkAllBut(
  identity: Identity,
  accountId: string,
  keep: { issuer: string; subject: string } | undefined,
): Promise<void> {
  const { identities } = identity.stores;
  for (const { organization, issuer, subject } of await identities.listByAccount(accountId)) {
    if (issuer === keep?.issuer && subject === keep.subject) continue;
    await identities.unlink(organization, issuer, subject);
  }
}
