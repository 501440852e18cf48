/**
 * The address of an account: proving the one that it has, and changing it for one that was proved first. The
 * code for a new address goes there and is bound to it; the old address is told afterwards. Only the
 * owner of the new one learns whether it belongs to another account.
 */

import { Refused } from '../../core/refused.ts';
import { normalizeEmail } from '../../core/text.ts';
import type { AccountRecord } from '../../model/account.ts';
import { reclaimAccount } from '../accounts/reclaim-account.ts';
import { updateAccount } from '../accounts/update-account.ts';
import { recordEvent } from '../audit/audit.ts';
import type { Identity, RequestContext } from '../context.ts';
import { sendEmail } from '../emails/send-email.ts';
import { proveCode, sendProof } from '../sign-in/verify-code.ts';

const PURPOSE = 'address';

interface Input {
  readonly account: AccountRecord;
  /** The address to be proved: the account's own or another. */
  readonly email: string;
  /** The browser session that asks. */
  readonly request: string;
  readonly context: RequestContext;
}

/** Refused('too-many-requests'). */
export async function sendAddressCode(identity: Identity, input: Input): Promise<void> {
  const { account, request, context } = input;
  const email = normalizeEmail(input.email);
  const owner = await identity.stores.accounts.byEmail(account.organization, email);
  await sendProof(identity, {
    account: { ...account, email },
    mailbox: email,
    purpose: PURPOSE,
    email: owner === undefined || owner.id === account.id ? 'confirm-code' : 'account-exists',
    ...{ request, context, binding: email },
  });
}

/**
 * Makes the address the account's verified one. `inPerson`: the session was opened by a factor of the
 * person's own, so what the account holds is theirs too. False: the code is wrong, or the address has
 * an account. Refused('too-many-requests').
 */
export async function proveAddress(
  identity: Identity,
  input: Input & { code: string; inPerson: boolean },
): Promise<boolean> {
  const { account, code, request, context } = input;
  const { organization } = account;
  const email = normalizeEmail(input.email);
  const proven = await proveCode(identity, {
    ...{ organization, owner: account.id, account, name: account.id, purpose: PURPOSE, code, context },
    ...{ request, binding: email },
  });
  if (!proven) return false;
  let before: string | undefined;
  let present: AccountRecord;
  try {
    present = await updateAccount(identity, account.id, (current) => {
      before = current.email;
      return { ...current, email, emailVerified: current.emailVerified && current.email === email };
    });
  } catch (error) {
    if (error instanceof Refused && error.reason === 'account-exists') return false;
    throw error;
  }
  await reclaimAccount(identity, { account: present, ...(input.inPerson && { confirms: 'everything' }) });
  const changed = before !== email;
  const event = changed ? 'email.change' : 'email.confirm';
  recordEvent(identity, { event, organization, subject: account.id, context });
  // An attacker who took the account over would change its address: the old mailbox is told.
  if (changed && before !== undefined) sendEmail(identity, { account, name: 'address-changed', to: before });
  return true;
}
