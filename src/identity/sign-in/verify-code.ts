/** Asking for a code that was sent before: a door like sign-in, with its counters. */
import type { AccountRecord } from '../../model/account.ts';
import { attemptCode } from '../codes/one-time-code.ts';
import type { Identity, RequestOrigin } from '../context.ts';
import { judged, openAttempt } from './attempt.ts';

/**
 * True if the code is the one that was sent; it is spent then, for exactly one caller. A wrong one counts as
 * a failed try of `name`. `owner`: whose code it is; `account` when the owner has one already.
 * Refused('too-many-requests').
 */
export async function proveCode(
  identity: Identity,
  wanted: {
    organization: string;
    owner: string;
    account: AccountRecord | undefined;
    name: string;
    purpose: string;
    code: string;
    /** The interaction or session that asked for it. */
    request: string;
    binding?: string;
    origin: RequestOrigin;
  },
): Promise<boolean> {
  const { organization, owner, account, name, purpose, code, request, binding, origin } = wanted;
  const asker = { address: origin.address, request };
  const attempt = await openAttempt(identity, { organization, account, name, origin, factor: 'otp' });
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
  identity.audit.write({
    event: 'code.check',
    outcome: 'refused',
    organization,
    subject: owner,
    clientId: origin.clientId,
    address: origin.address,
    requestId: origin.requestId,
    detail: { door: origin.door, purpose },
  });
  return false;
}
