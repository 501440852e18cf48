/**
 * One use per upstream ID token that a client presents as an assertion: an attacker who reads one from a log must
 * not sign in with it (Zitadel CVE-2025-46815). Kept until the token is too old to be accepted anyway.
 */
import { randomUUID } from 'node:crypto';
import type { Identity } from '../context.ts';

/** Whether it was used up before. */
export async function idTokenWasUsed(identity: Identity, token: { fingerprint: string }): Promise<boolean> {
  return (await identity.stores.leases.read(keyOf(token), identity.clock.now())) !== 'free';
}

/** Marks it used, for good: true for exactly one `user`, over all nodes. `staleAt`: epoch seconds. */
export async function useIdToken(
  identity: Identity,
  token: { fingerprint: string; staleAt: number },
  user: string = randomUUID(),
): Promise<boolean> {
  // A minute more than needed: nodes' clocks differ.
  const until = new Date((token.staleAt + 60) * 1000);
  return identity.stores.leases.acquire(keyOf(token), user, identity.clock.now(), until);
}

/** Frees it again, when it was this `user` who marked it and it did not lead to a sign-in. */
export async function takeBackIdToken(
  identity: Identity,
  token: { fingerprint: string },
  user: string,
): Promise<void> {
  await identity.stores.leases.release(keyOf(token), user);
}

function keyOf({ fingerprint }: { fingerprint: string }): string {
  return `id-token:${fingerprint}`;
}
