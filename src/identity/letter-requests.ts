/**
 * Letters that anybody may ask for in somebody's name: counted by client address, so that one machine cannot
 * write to all the world. What one mailbox gets is counted apart (mayWrite).
 */
import { randomUUID } from '../secrets.ts';
import type { Identity } from './identity.ts';
import { Refused } from './refusal.ts';

/** A practice behind one address goes on working. */
const LIMIT = 60;
/** Milliseconds. */
const WINDOW = 15 * 60_000;

/** Counts a request, whatever comes of it. Refused('too-many-requests'). */
export async function countLetterRequest(identity: Identity, address: string): Promise<void> {
  const key = `letter-requests:${identity.secrets.mac('letter-requests', address)}`;
  const now = identity.clock.now();
  const limit = { limit: LIMIT, window: WINDOW };
  const taken = await identity.stores.attempts.take(key, randomUUID(), limit, now);
  if (taken.allowed) return;
  throw new Refused('too-many-requests', { retryAfter: Math.max(1, Math.ceil(taken.retryAfter / 1000)) });
}
