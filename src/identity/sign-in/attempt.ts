/**
 * Opens a counted attempt at an account's secret and makes sure that it is closed: an error while the secret is
 * checked (full hashing queue, store down) is not the person's failure and does not count.
 */
import { randomUUID } from '../../core/crypto.ts';
import { Refused } from '../../core/refused.ts';
import type { AccountRecord } from '../../model/account.ts';
import type { Amr } from '../../model/amr.ts';
import { noteRefusedSignIn } from '../audit/audit.ts';
import type { Identity, RequestContext } from '../context.ts';
import { sendEmail } from '../emails/send-email.ts';
import type { Attempt } from '../rate-limits/sign-in-attempts.ts';

export interface Try {
  readonly organization: string;
  readonly account: AccountRecord | undefined;
  /** As typed. */
  readonly name: string;
  readonly context: RequestContext;
  readonly factor: Amr;
  readonly second?: boolean;
}

/** Refused('too-many-requests'), noted in the audit. */
export async function openAttempt(identity: Identity, input: Try): Promise<Attempt> {
  const { organization, account, name, context } = input;
  try {
    const attempt = await identity.attempts.begin({
      ...{ organization, accountId: account?.id, name },
      address: context.address,
      code: input.factor === 'otp',
      second: input.second === true,
    });
    return {
      ...attempt,
      async failed() {
        const outcome = await attempt.failed();
        const email = EMAILS[outcome];
        if (email !== undefined && account !== undefined) await tellOwner(identity, account, email);
        return outcome;
      },
    };
  } catch (error) {
    if (error instanceof Refused) noteRefusedSignIn(identity, { ...input, why: 'too-many-requests' });
    throw error;
  }
}

/** What the owner of the account gets. */
const EMAILS = {
  counted: undefined,
  'codes-used-up': 'wrong-codes',
  'second-used-up': 'wrong-factors',
} as const;

/** Milliseconds in which an owner gets one such email, however many failures there are. */
const TELL_EVERY = 86_400_000;

async function tellOwner(
  identity: Identity,
  account: AccountRecord,
  name: 'wrong-codes' | 'wrong-factors',
): Promise<void> {
  const key = `${name}:${identity.secrets.hmac('wrong-codes', account.id)}`;
  const now = identity.clock.now();
  const next = new Date(now.getTime() + TELL_EVERY);
  if (!(await identity.stores.leases.acquire(key, randomUUID(), now, next))) return;
  sendEmail(identity, { account, name });
}

/**
 * Whether a sign-in by these proofs is enough for the account, at a channel that cannot ask for a second factor. One
 * that is not is refused as a wrong secret is. Absent: the channel asks later.
 */
export type EnoughHere = (
  account: AccountRecord,
  signIn: { readonly amr: readonly string[]; readonly appPassword?: string | undefined },
) => boolean;

export function isActiveAccount(account: AccountRecord): boolean {
  return account.status === 'active';
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
