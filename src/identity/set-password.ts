import type { AccountRecord } from '../store/ports.ts';
import type { Identity } from './identity.ts';
export async function setPassword(
  _identity: Identity,
  _wanted: {
    accountId: string;
    password: string;
    minimum: number;
    keep?: { grantId?: string; sessionUid?: string };
    /** The letter that tells the owner; none when absent. */
    letter?: 'password-changed' | 'password-reset-done';
    /** Further changes in the same step. */
    change?: (account: AccountRecord) => AccountRecord;
  },
): Promise<AccountRecord> {
  throw new Error('unwritten');
}

/** Throws 'password-too-short' or 'password-too-common'. */
export async function judgePassword(
  _identity: Identity,
  _wanted: { password: string; minimum: number; organization: string },
): Promise<void> {
  throw new Error('unwritten');
}
