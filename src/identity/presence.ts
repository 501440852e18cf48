import type { PresenceRecord } from '../store/ports.ts';
import type { Identity } from './identity.ts';
export async function heartbeat(
  _identity: Identity,
  _wanted: { accountId: string; seconds: number },
): Promise<PresenceRecord> {
  throw new Error('unwritten');
}
