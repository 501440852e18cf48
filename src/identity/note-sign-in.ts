import type { AccountRecord } from '../store/ports.ts';
import type { Identity, RequestOrigin } from './identity.ts';

/** Sets lastSignInAt and writes the audit line of a sign-in that was proven by other means (signInWithPassword and signInWithCode do it themselves). */
export async function noteSignIn(
  _identity: Identity,
  _wanted: { account: AccountRecord; origin: RequestOrigin; factor: 'pwd' | 'otp' | 'fed' | 'sso' },
): Promise<void> {
  throw new Error('unwritten');
}
