/**
 * Sign-in with a name and a password: the one behind the hosted page and every dialect. Unknown name, wrong
 * password, no password, account that is not let in: the same refusal after the same work.
 */

import { Refused } from '../../core/refused.ts';
import type { AccountRecord } from '../../model/account.ts';
import type { AppPassword } from '../../model/factors.ts';
import { findByLogin } from '../accounts/find-account.ts';
import { type AcceptedHash, acceptedHashes } from '../accounts/password-authority.ts';
import { updateAccount } from '../accounts/update-account.ts';
import { enterNoted, noteRefusedSignIn } from '../audit/audit.ts';
import type { Identity, RequestContext } from '../context.ts';
import { findAppPassword, touchAppPassword } from '../factors/app-passwords.ts';
import { type AskedPassword, askAgain, askUnknown } from '../legacy/ask-password.ts';
import { type LegacyRefusal, reasonOf, refusalFor } from '../legacy/verdict.ts';
import { type EnoughHere, isActiveAccount, judged, openAttempt } from './attempt.ts';
import { verifyPassword } from './verify-password.ts';

export interface PasswordTry {
  readonly organization: string;
  readonly login: string;
  readonly password: string;
  readonly by: readonly ('email' | 'username')[];
  readonly context: RequestContext;
  readonly admits?: (account: AccountRecord) => boolean;
  readonly isEnough?: EnoughHere;
  readonly appPasswords?: boolean;
}

export interface PasswordSignIn {
  readonly account: AccountRecord;
  /** The id of the app password that was used. */
  readonly appPassword?: string;
}

/**
 * Counts the try, writes lastSignInAt and the audit line. `admits`: by default active accounts come in;
 * given, it decides alone. `appPasswords`: one of the channel's is as good as a password. `enter` makes what the
 * sign-in gives; its writes share a transaction with these.
 * Refused('sign-in-refused' | 'too-many-requests' | 'unavailable').
 */
export async function signInWithPassword<Entered>(
  identity: Identity,
  input: PasswordTry,
  enter: (signIn: PasswordSignIn) => Promise<Entered>,
): Promise<Entered> {
  const { organization, login, context, admits = isActiveAccount } = input;
  const account = await findByLogin(identity, input);
  const attempted = { organization, account, name: login, context, factor: 'pwd' } as const;
  const attempt = await openAttempt(identity, attempted);
  const verdict = await judged(attempt, () => judgeAccountPassword(identity, { ...input, account, admits }));
  if (!('account' in verdict)) {
    await attempt.failed();
    noteRefusedSignIn(identity, { ...attempted, ...reasonOf(verdict) });
    throw refusalFor(verdict, 'sign-in-refused');
  }
  const { account: right, confirmed, appPassword } = verdict;
  if (appPassword !== undefined) {
    await judged(attempt, () => touchAppPassword(identity, right, appPassword));
    const signIn = { account: right, appPassword: appPassword.id };
    return enterNoted(identity, { account: right, context, factor: 'app-password', attempt }, () =>
      enter(signIn),
    );
  }
  const renewed = () => rehash(identity, right, input.password);
  const kept = verdict.rehash ? await judged(attempt, renewed) : right;
  return enterNoted(identity, { account: kept, context, factor: 'pwd', confirmed, attempt }, () =>
    enter({ account: kept }),
  );
}

/** The account that the password is right for, or why there is none. `confirmed`: what a legacy system said of it. */
export type PasswordVerdict =
  | {
      readonly account: AccountRecord;
      readonly rehash?: boolean;
      readonly confirmed?: 'yes' | 'away';
      readonly appPassword?: AppPassword;
    }
  | LegacyRefusal;

type Asked = AskedPassword & { readonly isEnough?: EnoughHere; readonly appPasswords?: boolean };

/** Asks a legacy system only what cannot be decided here. */
export async function judgeAccountPassword(identity: Identity, input: Asked): Promise<PasswordVerdict> {
  const { account, context, isEnough = () => true } = input;
  const appPassword = rightAppPassword(identity, input);
  if (account !== undefined && appPassword !== undefined) return { account, appPassword };
  const admits = (one: AccountRecord) => input.admits(one) && isEnough(one, { amr: ['pwd'] });
  const asked = { ...input, admits };
  const admitted = account !== undefined && admits(account);
  const verified = await verify(identity, { ...asked, channel: context.channel, admitted });
  if (account !== undefined && !admitted) {
    const why = input.admits(account) ? 'factor-needed' : 'not-admitted';
    return { wrong: verified === undefined ? 'wrong' : why };
  }
  if (verified === undefined) return askUnknown(identity, asked);
  if (!admits(verified.account)) return { wrong: 'not-admitted' };
  if (verified.of.length === 0) return verified;
  const { of, account: present, rehash } = verified;
  const verdict = await askAgain(identity, { ...asked, account: present, of });
  return 'account' in verdict ? { ...verdict, rehash } : verdict;
}

/** A text that is refused here is hashed afterwards like any wrong password, so that both take the same work. */
function rightAppPassword(identity: Identity, input: Asked): AppPassword | undefined {
  const { account, password: text, context, admits, isEnough, appPasswords } = input;
  if (appPasswords !== true || account === undefined || !admits(account)) return undefined;
  const found = findAppPassword(identity, account, { dialect: context.channel, text });
  const signIn = { amr: ['app-password'], appPassword: found?.id };
  return found !== undefined && isEnough?.(account, signIn) ? found : undefined;
}

interface Verified {
  readonly account: AccountRecord;
  readonly rehash: boolean;
  /** The dialects whose legacy systems confirmed the password; empty: it was set here. */
  readonly of: readonly string[];
}

/**
 * The account as it is after the hashing, when the password is right for it then: a password change in
 * between has ended all grants, and must not be followed by one for the old password. (A hash that only
 * differs because a sign-in at the same time renewed it is checked again, and right.) What is refused takes as many
 * checks for each account, so that no time tells who has a password at each of two vendors.
 */
async function verify(
  identity: Identity,
  input: {
    organization: string;
    account: AccountRecord | undefined;
    password: string;
    channel: string;
    admitted: boolean;
  },
  tries = 2,
): Promise<Verified | undefined> {
  const { account, channel, admitted } = input;
  const hashes = hashesOf(account, channel).map(({ hash }) => hash);
  const most = channel === 'hosted' ? identity.legacy.dialects.length : 1;
  const checks = [...hashes, ...Array<undefined>(Math.max(0, most - hashes.length)).fill(undefined)];
  let refused: Verified | undefined;
  for (const hash of checks) {
    const verdict = await verifyPassword(identity, { ...input, hash });
    if (!verdict.right || account === undefined) continue;
    const present = await identity.stores.accounts.byId(account.id);
    if (present === undefined) return undefined;
    const still = hashesOf(present, channel).find((other) => other.hash === hash);
    if (still === undefined)
      return tries > 1 ? verify(identity, { ...input, account: present }, tries - 1) : undefined;
    const rehash = verdict.rehash && hash === present.passwordHash;
    const verified = { account: present, rehash, of: still.of };
    if (admitted) return verified;
    refused = verified;
  }
  return refused;
}

/** Most accounts have one at most, of their own. */
function hashesOf(account: AccountRecord | undefined, channel: string): readonly AcceptedHash[] {
  if (account?.legacy !== undefined) return acceptedHashes(account, channel);
  return [{ hash: account?.passwordHash, of: [] }];
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
