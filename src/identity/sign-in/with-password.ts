/**
 * Sign-in with a name and a password: the one behind the hosted page and every dialect. Unknown name, wrong
 * password, no password, account that is not let in: the same refusal after the same work.
 */

import { Refused } from '../../core/refused.ts';
import type { AccountRecord } from '../../model/account.ts';
import { findByLogin } from '../accounts/find-account.ts';
import { updateAccount } from '../accounts/update-account.ts';
import { noteRefusedSignIn, noteSignIn } from '../audit/record-sign-in.ts';
import type { Identity, RequestOrigin } from '../context.ts';
import { judged, openAttempt } from './attempt.ts';
import { verifyPassword } from './verify-password.ts';

/**
 * Counts the try, writes lastSignInAt and the audit line. `admits`: by default active accounts come in;
 * given, it decides alone. Refused('sign-in-refused' | 'too-many-requests' | 'unavailable').
 */
export async function signInWithPassword(
  identity: Identity,
  wanted: {
    organization: string;
    login: string;
    password: string;
    by: readonly ('email' | 'username')[];
    origin: RequestOrigin;
    admits?: (account: AccountRecord) => boolean;
  },
): Promise<AccountRecord> {
  const { organization, login, password, origin, admits = isActive } = wanted;
  const account = await findByLogin(identity, wanted);
  const attempted = { organization, account, name: login, origin, factor: 'pwd' } as const;
  const attempt = await openAttempt(identity, attempted);
  const admitted = account !== undefined && admits(account);
  const verified = await judged(attempt, () =>
    verify(identity, { organization, account, password, admitted }),
  );
  if (verified === undefined || !admits(verified.account)) {
    await attempt.failed();
    noteRefusedSignIn(identity, { ...attempted, why: verified === undefined ? 'wrong' : 'not-admitted' });
    throw new Refused('sign-in-refused');
  }
  await attempt.succeeded(verified.account.id);
  const kept = verified.rehash ? await rehash(identity, verified.account, password) : verified.account;
  await noteSignIn(identity, { account: kept, origin, factor: 'pwd' });
  return kept;
}

function isActive(account: AccountRecord): boolean {
  return account.status === 'active';
}

/**
 * The account as it is after the hashing, when the password is right for it then: a password change in
 * between has ended all grants, and must not be followed by one for the old password. (A hash that only
 * differs because a sign-in at the same time renewed it is checked again, and right.)
 */
async function verify(
  identity: Identity,
  wanted: Parameters<typeof verifyPassword>[1],
): Promise<{ account: AccountRecord; rehash: boolean } | undefined> {
  const { account } = wanted;
  const verdict = await verifyPassword(identity, wanted);
  if (!verdict.right || account === undefined) return undefined;
  const present = await identity.stores.accounts.byId(account.id);
  if (present === undefined) return undefined;
  if (present.passwordHash === account.passwordHash) return { account: present, rehash: verdict.rehash };
  const again = await verifyPassword(identity, { ...wanted, account: present });
  return again.right ? { account: present, rehash: again.rehash } : undefined;
}

/** Stores a hash of today's cost. A queue that is full only puts it off to the next sign-in. */
async function rehash(identity: Identity, account: AccountRecord, password: string): Promise<AccountRecord> {
  try {
    const passwordHash = await identity.hasher.hash(password);
    const change = (present: AccountRecord) =>
      present.passwordHash === account.passwordHash ? { ...present, passwordHash } : null;
    return await updateAccount(identity, account.id, change, { quiet: true });
  } catch (error) {
    if (error instanceof Refused && error.reason === 'unavailable') return account;
    throw error;
  }
}
