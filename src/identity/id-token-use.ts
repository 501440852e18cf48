import type { Identity } from './identity.ts';

/** Whether the upstream ID token was used up before. */
export async function idTokenWasUsed(_identity: Identity, _token: { fingerprint: string }): Promise<boolean> {
  throw new Error('unwritten');
}

/** Marks it used: true for exactly one caller. */
export async function useIdToken(
  _identity: Identity,
  _token: { fingerprint: string; staleAt: number },
): Promise<boolean> {
  throw new Error('unwritten');
}
