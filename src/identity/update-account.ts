import type { AccountRecord } from '../store/ports.ts';
import type { Identity } from './identity.ts';
export async function updateAccount(
  _identity: Identity,
  _id: string,
  _change: (account: AccountRecord) => AccountRecord | null,
  _options?: { quiet?: boolean },
): Promise<AccountRecord> {
  throw new Error('unwritten');
}
