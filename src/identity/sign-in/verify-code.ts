/** Asking for a code that was sent before: a channel like sign-in, with its counters. */
import type { AccountRecord } from '../../model/account.ts';
import { recordEvent } from '../audit/audit.ts';
import { attemptCode } from '../codes/one-time-code.ts';
import type { Identity, RequestContext } from '../context.ts';
import { judged, openAttempt } from './attempt.ts';

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
    attemptCode(identity, {
      accountId: owner,
      purpose,
      code,
      asker,
      ...(binding === undefined ? {} : { binding }),
    }),
  );
  await (verdict === 'right' ? attempt.succeeded(owner) : attempt.failed());
  if (verdict === 'right') return true;
  const refused = { event: 'code.check', outcome: 'refused', subject: owner } as const;
  recordEvent(identity, { ...refused, organization, context, detail: { purpose } });
  return false;
}
