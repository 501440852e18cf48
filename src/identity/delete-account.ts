import type { Identity, RequestOrigin } from './identity.ts';
export async function deleteAccount(
  _identity: Identity,
  _wanted: { accountId: string; origin?: RequestOrigin },
): Promise<void> {
  throw new Error('unwritten');
}
