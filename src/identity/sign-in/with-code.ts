/** Sign-in with a one-time code from an email. A single factor, and counted like a password. */

import { Refused } from '../../core/refused.ts';
import type { AccountRecord } from '../../model/account.ts';
import { reclaimAccount } from '../accounts/reclaim-account.ts';
import { enterNoted, noteRefusedSignIn } from '../audit/audit.ts';
import { attemptCode } from '../codes/one-time-code.ts';
import type { Identity, RequestContext } from '../context.ts';
import { askCode } from '../legacy/ask-code.ts';
import { type LegacyVerdict, reasonOf, refusalFor } from '../legacy/verdict.ts';
import { type EnoughHere, isActiveAccount, judged, openAttempt } from './attempt.ts';

interface CodeSignIn {
  readonly organization: string;
  readonly email: string;
  readonly code: string;
  readonly purpose: string;
  readonly context: RequestContext;
  readonly admits?: (account: AccountRecord) => boolean;
  readonly isEnough?: EnoughHere;
  readonly confirms?: boolean;
  readonly binding?: string | undefined;
  readonly request?: string;
}

/**
 * Spends a code made by sendCode for this purpose (and request, and binding); the address is proven
 * (reclaimAccount). `confirms`: the password was given in the same sign-in, so the two are one person's.
 * `admits`: by default active accounts come in; given, it decides alone. An account that is not admitted, or has no
 * second factor where `isEnough` asks for one, loses no code.
 * Writes lastSignInAt and the audit line. `enter` makes what the sign-in gives; its writes share a transaction with
 * these. Refused('code-refused' | 'too-many-requests').
 */
export async function signInWithCode<Entered>(
  identity: Identity,
  input: CodeSignIn,
  enter: (account: AccountRecord) => Promise<Entered>,
): Promise<Entered> {
  const { organization, email, context, admits: mayEnter = isActiveAccount, isEnough = () => true } = input;
  const admits = (one: AccountRecord) => mayEnter(one) && isEnough(asProven(one), { amr: ['otp'] });
  const account = await identity.stores.accounts.byEmail(organization, email.trim());
  const attempted = { organization, account, name: email, context, factor: 'otp' } as const;
  const attempt = await openAttempt(identity, attempted);
  const verdict = await judged(attempt, () => judgeCode(identity, { ...input, account, mayEnter, admits }));
  if (!('account' in verdict)) {
    await attempt.failed();
    noteRefusedSignIn(identity, { ...attempted, ...reasonOf(verdict) });
    throw refusalFor(verdict, 'code-refused');
  }
  const { confirmed } = verdict;
  const confirms = input.confirms === true && { confirms: 'everything' as const };
  const reclaimed = () => reclaimAccount(identity, { account: verdict.account, ...confirms });
  const proven = await judged(attempt, reclaimed);
  if (!admits(proven)) {
    await attempt.succeeded(proven.id);
    // Blocked while the code was judged: what is issued now would outlive the blocking.
    throw new Refused('code-refused');
  }
  const noted = { account: proven, context, factor: 'otp', confirmed, attempt } as const;
  return enterNoted(identity, noted, () => enter(proven));
}

/** The proof of an address ends the factors that another person may have set up before it. */
function asProven(account: AccountRecord): AccountRecord {
  const { factors: _, ...own } = account;
  return account.emailVerified ? account : own;
}

/**
 * A code that is not ours may be a legacy system's. Where the account is not admitted, the same work is done and no
 * code is spent.
 */
async function judgeCode(
  identity: Identity,
  asked: CodeSignIn & {
    account: AccountRecord | undefined;
    mayEnter: (account: AccountRecord) => boolean;
    admits: (account: AccountRecord) => boolean;
  },
): Promise<LegacyVerdict> {
  const { account, mayEnter, admits, code, purpose, binding, request, context } = asked;
  const admitted = account !== undefined && admits(account) ? account : undefined;
  const asker = { address: context.address, request };
  const here = await attemptCode(identity, { accountId: admitted?.id, purpose, code, asker, binding });
  if (account !== undefined && admitted === undefined)
    return { wrong: mayEnter(account) ? 'factor-needed' : 'wrong' };
  if (here === 'right' && admitted !== undefined) return { account: admitted };
  return askCode(identity, { ...asked, email: asked.email.trim() });
}
