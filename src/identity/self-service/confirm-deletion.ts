/** The code that an account without a password is deleted with. */
import type { AccountRecord } from '../../model/account.ts';
import type { Identity, RequestContext } from '../context.ts';
import { proveCode, sendProof } from '../sign-in/verify-code.ts';

const PURPOSE = 'delete-account';

/** `request`: the browser session that asks. Refused('too-many-requests'). */
export function sendDeletionCode(
  identity: Identity,
  input: { account: AccountRecord; request: string; context: RequestContext },
): Promise<void> {
  return sendProof(identity, { ...input, mailbox: input.account.id, purpose: PURPOSE, email: 'delete-code' });
}

/** Refused('too-many-requests'). */
export function proveDeletionCode(
  identity: Identity,
  input: { account: AccountRecord; code: string; request: string; context: RequestContext },
): Promise<boolean> {
  const { id, organization } = input.account;
  return proveCode(identity, { ...input, organization, owner: id, name: id, purpose: PURPOSE });
}
