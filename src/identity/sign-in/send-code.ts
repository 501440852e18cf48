/**
 * The email with a one-time code that the hosted pages request. The work is the same with or without an
 * account, and the caller does not learn which.
 */
import { randomUUID } from 'node:crypto';
import { foldName } from '../../core/text.ts';
import type { AccountRecord } from '../../model/account.ts';
import { SIX_DIGITS, sendCode } from '../codes/one-time-code.ts';
import type { Identity, RequestContext } from '../context.ts';
import { takeEmail } from '../emails/email-limits.ts';
import { absentAccountIn } from '../emails/send-email.ts';
import { letLegacyWrite } from '../legacy/ask-code.ts';

/** Seconds that a code lives. */
export const CODE_LIFETIME = 600;
/** Seconds between two emails of one sign-in. */
export const RESEND_AFTER = 30;

/** Wrong codes after which a code is dead. */
const TRIES = 5;

/**
 * `account` undefined or not active: the same work, no email. `request`: the interaction. Resolves with
 * false, and sends nothing, within RESEND_AFTER of the last email to this name in this interaction.
 * Refused('too-many-requests'), the same for known and unknown.
 */
export async function sendSignInCode(
  identity: Identity,
  input: {
    organization: string;
    account: AccountRecord | undefined;
    /** As typed: who corrects it need not wait. */
    name: string;
    purpose: string;
    request: string;
    context: RequestContext;
  },
): Promise<boolean> {
  const { organization, account, name, purpose, request, context } = input;
  const { address } = context;
  await identity.attempts.checkAddress(address);
  const now = identity.clock.now();
  const key = `code-sent:${identity.secrets.hmac('code-sent', JSON.stringify([request, purpose, foldName(name)]))}`;
  const next = new Date(now.getTime() + RESEND_AFTER * 1000);
  const owner = randomUUID();
  if (!(await identity.stores.leases.acquire(key, owner, now, next))) return false;
  const mailbox = [organization, foldName(name)];
  await takeEmail(identity, { mailbox, address, what: 'codes' }).catch(async (error) => {
    // Asked again, the answer is the same: no email is on its way.
    await identity.stores.leases.release(key, owner);
    throw error;
  });
  const active = account?.status === 'active' && account.email !== undefined ? account : undefined;
  await sendCode(identity, {
    ...{ form: SIX_DIGITS, lifetime: CODE_LIFETIME, tries: TRIES, email: 'code' },
    account: active ?? absentAccountIn(organization),
    purpose,
    asker: { address, request },
    client: context.clientId,
  });
  if (account === undefined)
    letLegacyWrite(identity, 'sendCode', { organization, email: name.trim(), context });
  return true;
}
