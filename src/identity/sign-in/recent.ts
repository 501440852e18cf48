/**
 * A change that could hand the account over (a first password, a new address, an API key) requires a sign-in of
 * the last minutes by the person: single sign-on gives tokens and sessions to the holder of the clinic's key.
 */

/** Milliseconds. */
const RECENT = 10 * 60_000;

export interface SignInDetails {
  readonly signedInAt: Date;
  readonly amr: readonly string[];
}

/** By a factor of the person's own, and not by single sign-on alone. */
export function wasInPerson({ amr }: Pick<SignInDetails, 'amr'>): boolean {
  return amr.some((factor) => factor !== 'sso');
}

export function wasRecent(signIn: SignInDetails, now: Date): boolean {
  return wasInPerson(signIn) && now.getTime() - signIn.signedInAt.getTime() < RECENT;
}
