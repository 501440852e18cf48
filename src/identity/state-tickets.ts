import type { Json } from '../store/ports.ts';
import type { Identity } from './identity.ts';

/** A ticket without account that carries data over a redirect (upstream state): returns the token. */
export async function makeState(
  _identity: Identity,
  _wanted: {
    purpose: string;
    organization: string /** Seconds. */;
    lifetime: number;
    data: Record<string, Json>;
  },
): Promise<string> {
  throw new Error('unwritten');
}
export async function spendState(
  _identity: Identity,
  _wanted: { purpose: string; token: string },
): Promise<{ organization: string; data: Record<string, Json> } | undefined> {
  throw new Error('unwritten');
}
