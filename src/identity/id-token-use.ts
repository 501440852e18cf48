/**
 * One use per upstream ID token that a client presents as an assertion: whoever reads one from a log must
 * not sign in with it (Zitadel CVE-2025-46815). Kept until the token is too old to be accepted anyway.
 */
import { randomUUID } from 'node:crypto';
import type { Identity } from './identity.ts';

/** Whether it was used up before. */
export async function idTokenWasUsed(identity: Identity, token: { fingerprint: string }): Promise<boolean> {
  return (await identity.stores.claims.read(keyOf(token), identity.clock.now())) !== 'free';
}

/** Marks it used, for good: true for exactly one caller, over all nodes. `staleAt`: epoch seconds. */
export async function useIdToken(
  identity: Identity,
  token: { fingerprint: string; staleAt: number },
): Promise<boolean> {
  // A minute more than needed: nodes' clocks differ.
  const until = new Date((token.staleAt + 60) * 1000);
  return identity.stores.claims.claim(keyOf(token), randomUUID(), identity.clock.now(), until);
}

function keyOf({ fingerprint }: { fingerprint: string }): string {
  return `id-token:${fingerprint}`;
}
