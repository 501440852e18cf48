import type { RandomForm } from '../secrets.ts';
import type { AccountRecord } from '../store/ports.ts';
import type { Identity } from './identity.ts';
export async function ensureAlias(
  _identity: Identity,
  _account: AccountRecord,
  _wanted: { name: string; form: RandomForm | 'uuid'; mints?: Readonly<Record<string, RandomForm>> },
): Promise<AccountRecord> {
  throw new Error('unwritten');
}
