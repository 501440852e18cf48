/** The code that an account without a password is deleted with. */
import type { AccountRecord } from '../store/ports.ts';
import { SIX_DIGITS, sendCode } from './codes.ts';
import type { Identity, RequestOrigin } from './identity.ts';
import { proveCode } from './prove-code.ts';

const PURPOSE = 'delete-account';
/** Seconds. */
const LIFETIME = 600;
const TRIES = 5;

/** `binding`: the browser session that asks. */
export function sendDeletionCode(
  identity: Identity,
  wanted: { account: AccountRecord; binding: string },
): Promise<void> {
  return sendCode(identity, {
    ...wanted,
    purpose: PURPOSE,
    form: SIX_DIGITS,
    lifetime: LIFETIME,
    tries: TRIES,
    letter: 'delete-code',
    quota: { limit: 5, window: 3600 },
  });
}

/** Refused('too-many-requests'). */
export function proveDeletionCode(
  identity: Identity,
  wanted: { account: AccountRecord; code: string; binding: string; origin: RequestOrigin },
): Promise<boolean> {
  const { id, organization } = wanted.account;
  return proveCode(identity, { ...wanted, organization, owner: id, name: id, purpose: PURPOSE });
}
