import type { Identity, RequestOrigin } from './identity.ts';
export async function checkPassword(
  _identity: Identity,
  _wanted: { accountId: string; password: string; origin: RequestOrigin },
): Promise<boolean> {
  throw new Error('unwritten');
}
