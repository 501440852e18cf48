/** Revoking upstreams' tokens, for the deliverer of the outbox (oidc/logout). */
import type { Upstreams } from '../federation/protocol/upstream.ts';
import { openUpstreamToken, removeUpstreamToken } from '../identity/codes/upstream-token.ts';
import type { Identity } from '../identity/context.ts';
import type { DeliveryRecord } from '../store/ports/deliveries.ts';

export function createRevocations(
  deps: Pick<Identity, 'stores' | 'secrets' | 'clock'> & { readonly upstreams: Upstreams },
) {
  /** Why it could not be revoked; undefined: it was. Rejects with what the upstream said. */
  return async ({ clientId, sid }: DeliveryRecord): Promise<string | undefined> => {
    const kept = await openUpstreamToken(deps, sid);
    if (kept === undefined) return 'the token is not kept any more';
    const upstream = deps.upstreams.get(clientId);
    if (upstream?.revoke === undefined) return 'the upstream is not configured any more';
    await upstream.revoke(kept.token, deps.clock.now());
    await removeUpstreamToken(deps, sid);
    return undefined;
  };
}
