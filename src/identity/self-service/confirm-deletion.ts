/** The code that an account without a password is deleted with. */
import type { AccountRecord } from '../../model/account.ts';
import { SIX_DIGITS, sendCode } from '../codes/one-time-code.ts';
import type { Identity, RequestContext } from '../context.ts';
import { takeEmail } from '../emails/email-limits.ts';
import { proveCode } from '../sign-in/verify-code.ts';

const PURPOSE = 'delete-account';
/** Seconds. */
const LIFETIME = 600;
const TRIES = 5;

/** `request`: the browser session that asks. Refused('too-many-requests'). */
export async function sendDeletionCode(
  identity: Identity,
  input: { account: AccountRecord; request: string; context: RequestContext },
): Promise<void> {
  const { account, request } = input;
  const { address } = input.context;
  await takeEmail(identity, { mailbox: [account.organization, account.id], address, what: 'confirmations' });
  await sendCode(identity, {
    account,
    asker: { address, request },
    purpose: PURPOSE,
    form: SIX_DIGITS,
    lifetime: LIFETIME,
    tries: TRIES,
    email: 'delete-code',
  });
}

/** Refused('too-many-requests'). */
export function proveDeletionCode(
  identity: Identity,
  input: { account: AccountRecord; code: string; request: string; context: RequestContext },
): Promise<boolean> {
  const { id, organization } = input.account;
  return proveCode(identity, { ...input, organization, owner: id, name: id, purpose: PURPOSE });
}
