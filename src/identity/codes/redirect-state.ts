/**
 * The `state` of a redirect to an upstream: a one-use link token without account that carries what must be known
 * when the browser comes back. It proves nothing by itself: the caller binds it to the browser.
 */
import { randomToken } from '../../core/crypto.ts';
import type { Json } from '../../model/json.ts';
import type { Identity } from '../context.ts';

/**
 * Resolves with the state. `lifetime`: seconds. `data` is stored encrypted. `token`: one that was made before.
 * Refused('too-many-requests') with an address.
 */
export async function makeState(
  identity: Identity,
  input: {
    purpose: string;
    organization: string;
    lifetime: number;
    data: Readonly<Record<string, Json>>;
    token?: string;
    /** The client's, for requests that may be unauthenticated: they count towards its budget. */
    address?: string;
  },
): Promise<string> {
  if (input.address !== undefined) await identity.strangers.count('signIns', input.address);
  const token = input.token ?? randomToken();
  const hash = identity.secrets.hmac('state', token);
  const now = identity.clock.now();
  await identity.stores.linkTokens.put(hash, {
    purpose: input.purpose,
    organization: input.organization,
    data: identity.secrets.encrypt(JSON.stringify(input.data), `state:${hash}`),
    createdAt: now,
    expiresAt: new Date(now.getTime() + input.lifetime * 1000),
  });
  return token;
}

export interface StateView {
  readonly organization: string;
  readonly data: Record<string, Json>;
}

interface Asked {
  readonly purpose: string;
  readonly token: string;
}

/** Reads without spending: what may refuse the answer comes first. Undefined: as for spendState. */
export function readState(identity: Identity, asked: Asked): Promise<StateView | undefined> {
  return view(identity, asked, 'read');
}

/** For exactly one caller. Undefined: unknown, expired, spent, of another purpose. */
export function spendState(identity: Identity, asked: Asked): Promise<StateView | undefined> {
  return view(identity, asked, 'spend');
}

async function view(
  identity: Identity,
  { purpose, token }: Asked,
  how: 'read' | 'spend',
): Promise<StateView | undefined> {
  const hash = identity.secrets.hmac('state', token);
  const linkToken = await identity.stores.linkTokens[how](hash, purpose, identity.clock.now());
  if (linkToken === undefined) return undefined;
  const data = JSON.parse(identity.secrets.decrypt(linkToken.data, `state:${hash}`)) as Record<string, Json>;
  return { organization: linkToken.organization, data };
}
