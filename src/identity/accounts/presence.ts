/** Who was here lately. Short-lived; it moves neither the account nor its tokens. */
import type { PresenceRecord } from '../../store/ports/presence.ts';
import type { Identity } from '../context.ts';

/** The person counts as present for so many seconds from now. */
export async function heartbeat(
  identity: Identity,
  input: { accountId: string; seconds: number },
): Promise<PresenceRecord> {
  const lastSeenAt = identity.clock.now();
  const presence = { lastSeenAt, until: new Date(lastSeenAt.getTime() + input.seconds * 1000) };
  await identity.stores.presence.put(input.accountId, presence);
  return presence;
}
