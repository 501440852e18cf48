/** A code that proves an address or an intention: sending it, and asking for it, with the counters of a sign-in. */
import type { AccountRecord } from '../../model/account.ts';
import type { EmailName } from '../../model/email-name.ts';
import { recordEvent } from '../audit/audit.ts';
import { attemptCode, SIX_DIGITS, sendCode } from '../codes/one-time-code.ts';
import type { Identity, RequestContext } from '../context.ts';
import { takeEmail } from '../emails/email-limits.ts';
import { judged, openAttempt } from './attempt.ts';

/** Seconds. */
const LIFETIME = 600;
const TRIES = 5;

/** `mailbox`: whose emails are counted, an account or an address. Refused('too-many-requests'). */
export async function sendProof(
  identity: Identity,
  input: {
    account: AccountRecord;
    mailbox: string;
    purpose: string;
    email: EmailName;
    /** The interaction or session that asks. */
    request: string;
    binding?: string;
    /** Whose brand the email wears. */
    client?: string;
    context: RequestContext;
  },
): Promise<void> {
  const { mailbox, request, context, ...code } = input;
  const { address } = context;
  await takeEmail(identity, {
    mailbox: [input.account.organization, mailbox],
    ...{ address, what: 'confirmations' },
  });
  const asker = { address, request };
  await sendCode(identity, { ...code, asker, form: SIX_DIGITS, lifetime: LIFETIME, tries: TRIES });
}

/**
 * True if the code is the one that was sent; it is spent then, for exactly one caller. A wrong one counts as
 * a failed try of `name`. `owner`: whose code it is; `account` when the owner has one already.
 * Refused('too-many-requests').
 */
export async function proveCode(
  identity: Identity,
  input: {
    organization: string;
    owner: string;
    account: AccountRecord | undefined;
    name: string;
    purpose: string;
    code: string;
    /** The interaction or session that asked for it. */
    request: string;
    binding?: string;
    context: RequestContext;
  },
): Promise<boolean> {
  const { organization, owner, account, name, purpose, code, request, binding, context } = input;
  const asker = { address: context.address, request };
  const attempt = await openAttempt(identity, { organization, account, name, context, factor: 'otp' });
  const verdict = await judged(attempt, () =>
    attemptCode(identity, { accountId: owner, purpose, code, asker, binding }),
  );
  await (verdict === 'right' ? attempt.succeeded(owner) : attempt.failed());
  if (verdict === 'right') return true;
  const refused = { event: 'code.check', outcome: 'refused', subject: owner } as const;
  recordEvent(identity, { ...refused, organization, context, detail: { purpose } });
  return false;
}
