/**
 * The letter with a one-time code that the hosted pages ask for. Whoever is meant, and whether there is such
 * a person at all, the caller learns nothing and the work is the same (security.md W7).
 */
import { randomUUID } from 'node:crypto';
import type { AccountRecord } from '../store/ports.ts';
import { pretendLetter, SIX_DIGITS, sendCode } from './codes.ts';
import type { Identity, RequestOrigin } from './identity.ts';
import { foldName } from './normalize.ts';
import { Refused } from './refusal.ts';

/** Seconds that a code lives (security.md O2). */
export const CODE_LIFETIME = 600;
/** Seconds between two letters of one sign-in. */
export const RESEND_AFTER = 30;

/** Wrong codes after which a code is dead (O4). */
const TRIES = 5;
/** Letters to one mailbox (O5). */
const QUOTA = { limit: 5, window: 600 };
/** Letters that one client address may cause, over all accounts: a clinic fits, a flood does not. */
const PER_ADDRESS = { limit: 100, window: 900 };

/**
 * `account` undefined or not active: the same work, no letter. `binding`: the interaction. Resolves with
 * false, and sends nothing, within RESEND_AFTER of the last letter to this name in this interaction.
 * Refused('too-many-requests').
 */
export async function sendSignInCode(
  identity: Identity,
  wanted: {
    account: AccountRecord | undefined;
    /** As typed: who corrects it need not wait. */
    name: string;
    purpose: string;
    binding: string;
    origin: RequestOrigin;
  },
): Promise<boolean> {
  const { account, name, purpose, binding, origin } = wanted;
  await identity.attempts.checkAddress(origin.address);
  const now = identity.clock.now();
  const key = `code-sent:${identity.secrets.mac('code-sent', JSON.stringify([binding, purpose, foldName(name)]))}`;
  const next = new Date(now.getTime() + RESEND_AFTER * 1000);
  if (!(await identity.stores.claims.claim(key, randomUUID(), now, next))) return false;
  await takeFromAddress(identity, origin.address, now);
  const active = account?.status === 'active' && account.email !== undefined ? account : undefined;
  if (active === undefined) await pretendLetter(identity, { letter: 'code', quota: QUOTA });
  else {
    const terms = { form: SIX_DIGITS, lifetime: CODE_LIFETIME, tries: TRIES, letter: 'code', quota: QUOTA };
    await sendCode(identity, { account: active, purpose, binding, ...terms });
  }
  return true;
}

async function takeFromAddress(identity: Identity, address: string, now: Date): Promise<void> {
  const key = `letters-from:${identity.secrets.mac('letters-from', address)}`;
  const limit = { limit: PER_ADDRESS.limit, window: PER_ADDRESS.window * 1000 };
  const { allowed, retryAfter } = await identity.stores.attempts.take(key, randomUUID(), limit, now);
  if (!allowed) {
    throw new Refused('too-many-requests', { retryAfter: Math.max(1, Math.ceil(retryAfter / 1000)) });
  }
}
