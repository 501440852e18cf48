/**
 * The `state` of a redirect to an upstream: a one-use ticket without account that carries what must be known
 * when the browser comes back. It proves nothing by itself: the caller binds it to the browser.
 */
import { randomToken } from '../secrets.ts';
import type { Json } from '../store/ports.ts';
import type { Identity } from './identity.ts';

/**
 * Resolves with the state. `lifetime`: seconds. `data` is stored sealed. `token`: one that was made before.
 * Refused('too-many-requests') with an address.
 */
export async function makeState(
  identity: Identity,
  wanted: {
    purpose: string;
    organization: string;
    lifetime: number;
    data: Readonly<Record<string, Json>>;
    token?: string;
    /** The client's, where whoever asks may be a stranger: it counts there. */
    address?: string;
  },
): Promise<string> {
  if (wanted.address !== undefined) await identity.strangers.count('signIns', wanted.address);
  const token = wanted.token ?? randomToken();
  const hash = identity.secrets.mac('state', token);
  const now = identity.clock.now();
  await identity.stores.tickets.put(hash, {
    purpose: wanted.purpose,
    organization: wanted.organization,
    data: identity.secrets.seal(JSON.stringify(wanted.data), `state:${hash}`),
    createdAt: now,
    expiresAt: new Date(now.getTime() + wanted.lifetime * 1000),
  });
  return token;
}

/** For exactly one caller. Undefined: unknown, expired, spent, of another purpose. */
export async function spendState(
  identity: Identity,
  wanted: { purpose: string; token: string },
): Promise<{ organization: string; data: Record<string, Json> } | undefined> {
  const hash = identity.secrets.mac('state', wanted.token);
  const ticket = await identity.stores.tickets.spend(hash, wanted.purpose, identity.clock.now());
  if (ticket === undefined) return undefined;
  const data = JSON.parse(identity.secrets.open(ticket.data, `state:${hash}`)) as Record<string, Json>;
  return { organization: ticket.organization, data };
}
