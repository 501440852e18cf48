import type { AccountRecord, AccountStatus } from '../store/ports.ts';
import type { Identity, RequestOrigin } from './identity.ts';
export async function setStatus(
  _identity: Identity,
  _wanted: { accountId: string; status: AccountStatus; origin?: RequestOrigin },
): Promise<AccountRecord> {
  throw new Error('unwritten');
}
