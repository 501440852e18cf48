/**
 * A change that could hand the account over (a first password, a new address, an API key) requires a sign-in of
 * the last minutes by the person: single sign-on gives tokens and sessions to the holder of the clinic's key.
 */

import type { AccountRecord } from '../../model/account.ts';
import { provenAmr } from '../../model/amr.ts';
import { hasFactor } from '../../model/factors.ts';

/** Milliseconds. */
const RECENT = 10 * 60_000;

export interface SignInDetails {
  readonly signedInAt: Date;
  readonly amr: readonly string[];
}

/** By a factor of the person's own, and not by single sign-on or an app password alone. */
export function wasInPerson({ amr }: Pick<SignInDetails, 'amr'>): boolean {
  return provenAmr(amr).some((factor) => factor !== 'sso');
}

/** With a second factor where the account has one: a password that leaked changes nothing of such an account. */
export function wasRecent(
  signIn: SignInDetails,
  account: Pick<AccountRecord, 'factors'>,
  now: Date,
): boolean {
  if (hasFactor(account) && !signIn.amr.includes('mfa')) return false;
  return wasInPerson(signIn) && now.getTime() - signIn.signedInAt.getTime() < RECENT;
}
