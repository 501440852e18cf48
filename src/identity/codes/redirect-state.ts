/**
 * The `state` of a redirect to an upstream: a one-use link token without account that carries what must be known
 * when the browser comes back. It proves nothing by itself: the caller binds it to the browser.
 */
import { randomToken } from '../../core/crypto.ts';
import type { Json } from '../../model/json.ts';
import type { Identity } from '../context.ts';
import { type KeptRecord, keepRecord, openRecord } from './encrypted-record.ts';

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
  const { address, token = randomToken(), ...record } = input;
  if (address !== undefined) await identity.strangers.count('signIns', address);
  await keepRecord(identity, { ...record, kind: 'state', secret: token });
  return token;
}

interface Asked {
  readonly purpose: string;
  readonly token: string;
}

/** Reads without spending: what may refuse the answer comes first. Undefined: as for spendState. */
export function readState(identity: Identity, asked: Asked): Promise<KeptRecord | undefined> {
  return openRecord(identity, 'read', { kind: 'state', secret: asked.token, purpose: asked.purpose });
}

/** For exactly one caller. Undefined: unknown, expired, spent, of another purpose. */
export function spendState(identity: Identity, asked: Asked): Promise<KeptRecord | undefined> {
  return openRecord(identity, 'spend', { kind: 'state', secret: asked.token, purpose: asked.purpose });
}
