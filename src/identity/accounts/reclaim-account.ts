/**
 * What every proof of an address ends, whichever channel it came by. Anyone can open an account with an
 * address that is not theirs and wait for its owner (pre-hijacking, Sudhodanan and Paverd 2022). So the first
 * proof leaves the owner alone with the account: everything that was made before it goes.
 * Id, name, profile and what operators gave stay.
 */
import type { AccountRecord } from '../../model/account.ts';
import { recordEvent } from '../audit/audit.ts';
import { queueRevocation } from '../codes/upstream-token.ts';
import type { Identity } from '../context.ts';
import { withoutSingleSignOn } from './find-or-create-by-external-id.ts';
import { withOwnAuthority } from './password-authority.ts';
import { endAccessForGood, endEmails } from './revoke-access.ts';
import { updateAccount } from './update-account.ts';

export interface Proof {
  /** As it was when the proof was asked for. */
  readonly account: AccountRecord;
  /** The upstream identity that vouched for the address: its link stays. */
  readonly by?: { readonly issuer: string; readonly subject: string };
  /**
   * The proof came from the sign-in that holds the password, so the password is its owner's, and with it
   * 'everything' that was made by it, or what one client was given. docs/decisions/0010.
   */
  readonly confirms?: 'everything' | { readonly clientId: string };
}

/**
 * The account with its address verified; as it is when the address was verified before. The address is marked
 * last, so that a server that dies half way leaves an account that is reclaimed again, and no squatter with a
 * verified address.
 */
export async function reclaimAccount(identity: Identity, proof: Proof): Promise<AccountRecord> {
  const { account, confirms } = proof;
  if (account.emailVerified) return account;
  await updateAccount(identity, account.id, (present) => {
    const own = { ...withoutSingleSignOn(identity, present) };
    // A name that an operator or a legacy system gave is the person's.
    if (present.openedAt !== undefined && present.legacy === undefined) delete own.username;
    if (confirms !== undefined) return own;
    delete own.passwordHash;
    delete own.factors;
    // Nor may the password come back from a legacy system, where the same other person may have set it.
    return withOwnAuthority(own);
  });
  if (confirms !== 'everything') await endAllAccess(identity, proof);
  await endEmails(identity, account.id);
  const proven = await updateAccount(identity, account.id, (present) =>
    // What was proven is the address that was written to, and no other.
    present.email === account.email ? { ...present, emailVerified: true } : null,
  );
  // Once more, for a sign-in with the old password that was under way when the password went.
  if (confirms === undefined) await endAllAccess(identity, proof);
  const { organization, id: subject } = proven;
  recordEvent(identity, { event: 'account.reclaim', organization, subject, context: undefined });
  return proven;
}

async function endAllAccess(identity: Identity, { account, by, confirms }: Proof): Promise<void> {
  const keep = typeof confirms === 'object' ? confirms : undefined;
  await Promise.all([endAccessForGood(identity, account.id, keep), unlinkAllBut(identity, account.id, by)]);
}

async function unlinkAllBut(identity: Identity, accountId: string, by: Proof['by']): Promise<void> {
  const { identities } = identity.stores;
  for (const link of await identities.listByAccount(accountId)) {
    const { organization, issuer, subject } = link;
    if (issuer === by?.issuer && subject === by.subject) continue;
    await queueRevocation(identity, link);
    await identities.unlink(organization, issuer, subject);
  }
}
