/** Sign-in with a one-time code from an email. A single factor, and counted like a password. */

import { Refused } from '../../core/refused.ts';
import type { AccountRecord } from '../../model/account.ts';
import { reclaimAccount } from '../accounts/reclaim-account.ts';
import { noteRefusedSignIn, noteSignIn } from '../audit/audit.ts';
import { attemptCode } from '../codes/one-time-code.ts';
import type { Identity, RequestContext } from '../context.ts';
import { askCode } from '../legacy/ask-code.ts';
import { type LegacyVerdict, reasonOf, refusalFor } from '../legacy/verdict.ts';
import { type EnoughHere, isActiveAccount, judged, openAttempt } from './attempt.ts';

/**
 * Spends a code made by sendCode for this purpose (and request, and binding); the address is proven
 * (reclaimAccount). `confirms`: the password was given in the same sign-in, so the two are one person's.
 * `admits`: by default active accounts come in; given, it decides alone; who is not admitted loses no code, nor does
 * who has no second factor where `isEnough` asks for one.
 * Writes lastSignInAt and the audit line. Refused('code-refused' | 'too-many-requests').
 */
export async function signInWithCode(
  identity: Identity,
  input: {
    organization: string;
    email: string;
    code: string;
    purpose: string;
    context: RequestContext;
    admits?: (account: AccountRecord) => boolean;
    isEnough?: EnoughHere;
    confirms?: boolean;
    binding?: string | undefined;
    request?: string;
  },
): Promise<AccountRecord> {
  const { organization, email, context, admits: mayEnter = isActiveAccount, isEnough = () => true } = input;
  const admits = (one: AccountRecord) => mayEnter(one) && isEnough(asProven(one), { amr: ['otp'] });
  const account = await identity.stores.accounts.byEmail(organization, email.trim());
  const attempted = { organization, account, name: email, context, factor: 'otp' } as const;
  const attempt = await openAttempt(identity, attempted);
  const admitted = account !== undefined && admits(account) ? account : undefined;
  const { code, purpose, binding, request } = input;
  const asker = { address: context.address, request };
  const here = await judged(attempt, () =>
    attemptCode(identity, { accountId: admitted?.id, purpose, code, asker, binding }),
  );
  const verdict =
    here === 'right' && admitted !== undefined
      ? { account: admitted }
      : await judged(attempt, () => elsewhere(identity, { ...input, email: email.trim(), account, admits }));
  if (!('account' in verdict)) {
    await attempt.failed();
    const lacksFactor = admitted === undefined && account !== undefined && mayEnter(account);
    noteRefusedSignIn(identity, {
      ...{ ...attempted, ...reasonOf(verdict) },
      ...(lacksFactor && { why: 'factor-needed' }),
    });
    throw refusalFor(verdict, 'code-refused');
  }
  const { confirmed } = verdict;
  await attempt.succeeded(verdict.account.id);
  const confirms = input.confirms === true && { confirms: 'everything' as const };
  const proven = await reclaimAccount(identity, { account: verdict.account, ...confirms });
  // Blocked while the code was judged: what is issued now would outlive the blocking.
  if (!admits(proven)) throw new Refused('code-refused');
  await noteSignIn(identity, { account: proven, context, factor: 'otp', confirmed });
  return proven;
}

/** The proof of an address ends the factors that another person may have set up before it. */
function asProven(account: AccountRecord): AccountRecord {
  const { factors: _, ...own } = account;
  return account.emailVerified ? account : own;
}

/** Of a code that is not ours: a legacy system may have sent it. */
async function elsewhere(identity: Identity, asked: Parameters<typeof askCode>[1]): Promise<LegacyVerdict> {
  const { account, admits } = asked;
  return account !== undefined && !admits(account) ? { wrong: 'wrong' } : askCode(identity, asked);
}
