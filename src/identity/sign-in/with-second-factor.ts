/**
 * A code of an authenticator app, or a recovery code, after a first proof: a channel like sign-in, with its
 * counters and one of its own. Passwords and emailed codes are judged elsewhere; all failures are one account's.
 */
import type { AccountRecord } from '../../model/account.ts';
import type { Factors } from '../../model/factors.ts';
import { recordEvent } from '../audit/audit.ts';
import type { Identity, RequestContext } from '../context.ts';
import { sendEmail } from '../emails/send-email.ts';
import { withStepUsed } from '../factors/authenticator-app.ts';
import { changeFactors } from '../factors/change-factors.ts';
import { FEW_CODES, withoutCode } from '../factors/recovery-codes.ts';
import { judged, openAttempt } from './attempt.ts';

interface Sent {
  readonly account: AccountRecord;
  readonly code: string;
  readonly context: RequestContext;
}

/** True for exactly one caller. A wrong code counts. Refused('too-many-requests'). */
export async function proveAppCode(identity: Identity, sent: Sent): Promise<boolean> {
  const { id: accountId } = sent.account;
  const left = await prove(identity, sent, 'app', (factors) =>
    withStepUsed(identity, { accountId, factors, code: sent.code }),
  );
  return left !== undefined;
}

/** As proveAppCode. The owner is told when few codes are left. */
export async function proveRecoveryCode(identity: Identity, sent: Sent): Promise<boolean> {
  const { id: accountId } = sent.account;
  const left = await prove(identity, sent, 'recovery-codes', (factors) =>
    withoutCode(identity, { accountId, factors, code: sent.code }),
  );
  if (left?.factors?.recoveryCodes?.length === FEW_CODES)
    sendEmail(identity, { account: left, name: 'recovery-codes-few' });
  return left !== undefined;
}

async function prove(
  identity: Identity,
  { account, context }: Sent,
  factor: 'app' | 'recovery-codes',
  change: (factors: Factors) => Factors | null,
): Promise<AccountRecord | undefined> {
  const { id: accountId, organization } = account;
  const tried = { organization, account, name: accountId, context, factor: 'otp', second: true } as const;
  const attempt = await openAttempt(identity, tried);
  const used = await judged(attempt, () =>
    changeFactors(identity, { accountId, event: 'factor.use', factor, change, context }),
  );
  await (used === undefined ? attempt.failed() : attempt.succeeded(accountId));
  if (used !== undefined) return used.account;
  const refused = { event: 'factor.use', outcome: 'refused', subject: accountId } as const;
  recordEvent(identity, { ...refused, organization, context, detail: { factor } });
  return undefined;
}
