import type { AccountRecord } from '../store/ports.ts';
import type { Identity, RequestOrigin } from './identity.ts';
export async function signInWithCode(
  _identity: Identity,
  _wanted: {
    organization: string;
    email: string;
    code: string;
    purpose: string;
    origin: RequestOrigin;
    /** Default: the account is active. Given, it decides alone. */
    admits?: (account: AccountRecord) => boolean;
    reclaims?: boolean;
  },
): Promise<AccountRecord> {
  throw new Error('unwritten');
}
