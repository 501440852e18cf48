/**
 * Sign-in with a name and a password: the one behind the hosted page and every dialect. Unknown name, wrong
 * password, no password, account that is not let in: the same refusal after the same work.
 */

import { Refused } from '../../core/refused.ts';
import type { AccountRecord } from '../../model/account.ts';
import { findByLogin } from '../accounts/find-account.ts';
import { updateAccount } from '../accounts/update-account.ts';
import { noteRefusedSignIn, noteSignIn } from '../audit/audit.ts';
import type { Identity, RequestContext } from '../context.ts';
import { isActiveAccount, judged, openAttempt } from './attempt.ts';
import { verifyPassword } from './verify-password.ts';

/**
 * Counts the try, writes lastSignInAt and the audit line. `admits`: by default active accounts come in;
 * given, it decides alone. Refused('sign-in-refused' | 'too-many-requests' | 'unavailable').
 */
export async function signInWithPassword(
  identity: Identity,
  input: {
    organization: string;
    login: string;
    password: string;
    by: readonly ('email' | 'username')[];
    context: RequestContext;
    admits?: (account: AccountRecord) => boolean;
  },
): Promise<AccountRecord> {
  const { organization, login, password, context, admits = isActiveAccount } = input;
  const account = await findByLogin(identity, input);
  const attempted = { organization, account, name: login, context, factor: 'pwd' } as const;
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
  await noteSignIn(identity, { account: kept, context, factor: 'pwd' });
  return kept;
}

/**
 * The account as it is after the hashing, when the password is right for it then: a password change in
 * between has ended all grants, and must not be followed by one for the old password. (A hash that only
 * differs because a sign-in at the same time renewed it is checked again, and right.)
 */
async function verify(
  identity: Identity,
  input: Parameters<typeof verifyPassword>[1],
): Promise<{ account: AccountRecord; rehash: boolean } | undefined> {
  const { account } = input;
  const verdict = await verifyPassword(identity, input);
  if (!verdict.right || account === undefined) return undefined;
  const present = await identity.stores.accounts.byId(account.id);
  if (present === undefined) return undefined;
  if (present.passwordHash === account.passwordHash) return { account: present, rehash: verdict.rehash };
  const again = await verifyPassword(identity, { ...input, account: present });
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
