import type { AccountRecord } from '../store/ports.ts';
import type { Identity, RequestOrigin } from './identity.ts';
export async function signInWithPassword(
  _identity: Identity,
  _wanted: {
    organization: string;
    login: string;
    password: string;
    by: readonly ('email' | 'username')[];
    origin: RequestOrigin;
    /** Default: the account is active. Given, it decides alone. */
    admits?: (account: AccountRecord) => boolean;
  },
): Promise<AccountRecord> {
  throw new Error('unwritten');
}
