import type { AccountRecord } from '../store/ports.ts';
import type { Identity } from './identity.ts';
import type { NewAccountFields } from './register-account.ts';
export async function findOrCreateByKey(
  _identity: Identity,
  _wanted: { organization: string; dialect: string; key: string; fresh: () => Promise<NewAccountFields> },
): Promise<{ account: AccountRecord; created: boolean }> {
  throw new Error('unwritten');
}
