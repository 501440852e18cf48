/**
 * Opens a counted try at somebody's secret and makes sure that it is closed: whatever is thrown while the
 * secret is judged (too many hashes waiting, store gone) is no failure of the person's and counts nothing.
 */
import type { AccountRecord } from '../store/ports.ts';
import type { Attempt } from './attempts.ts';
import type { Identity, RequestOrigin } from './identity.ts';
import { type Factor, noteRefusedSignIn } from './note-sign-in.ts';
import { Refused } from './refusal.ts';

export interface Try {
  readonly organization: string;
  readonly account: AccountRecord | undefined;
  /** As typed. */
  readonly name: string;
  readonly origin: RequestOrigin;
  readonly factor: Factor;
}

/** Refused('too-many-requests'), noted in the audit. */
export async function openAttempt(identity: Identity, wanted: Try): Promise<Attempt> {
  const { organization, account, name, origin } = wanted;
  try {
    return await identity.attempts.begin({
      organization,
      name,
      address: origin.address,
      ...(account === undefined ? {} : { accountId: account.id }),
    });
  } catch (error) {
    if (error instanceof Refused) noteRefusedSignIn(identity, { ...wanted, why: 'too-many-requests' });
    throw error;
  }
}

/** Runs `judge`; gives the attempt back when it throws. */
export async function judged<T>(attempt: Attempt, judge: () => Promise<T>): Promise<T> {
  try {
    return await judge();
  } catch (error) {
    // The first error is the one to tell; a store that is down cannot give anything back.
    await attempt.abandoned().catch(() => {});
    throw error;
  }
}
