import type Provider from 'oidc-provider';
import type { Client } from 'oidc-provider';
import type { DeliveryRecord } from '../../store/ports/deliveries.ts';

/** Member of `events` (OpenID Connect Back-Channel Logout 1.0, 2.4). */
const EVENT = 'http://schemas.openid.net/event/backchannel-logout';

/**
 * The logout token of a delivery, by the provider's ID tokens: `sub` as the client's ID tokens have it, signed as
 * they are, good for two minutes. `jti` is the delivery's own, so that a client that was told and could not answer
 * knows it again. `sid` only where ID tokens have it too: a client could not compare it otherwise, and signs the
 * person out everywhere.
 */
export async function logoutToken(
  provider: Provider,
  client: Client,
  { id, accountId, sid }: Pick<DeliveryRecord, 'id' | 'accountId' | 'sid'>,
): Promise<string> {
  const token = Object.assign(new provider.IdToken({ sub: accountId }, { client }), { mask: { sub: null } });
  token.set('jti', id);
  token.set('events', { [EVENT]: {} });
  if (client.backchannelLogoutSessionRequired === true) token.set('sid', sid);
  return token.issue({ use: 'logout' });
}
