/**
 * Error codes where the provider says another one than the standards have for it: a client that may not use the
 * grant or response type is `unauthorized_client` (RFC 6749, 4.1.2.1 and 5.2; RFC 8628, 3.2), not `invalid_request`,
 * and a response type that the server does not have is `unsupported_response_type`.
 *
 * Replaces in oidc-provider 9.13.3:
 * - Client.prototype.grantTypeAllowed 44251c0bc00d
 * - Client.prototype.responseTypeAllowed 90e2a9145fd3
 * - Client.prototype.responseModeAllowed 7787f67c0908
 */
import Provider, { errors } from 'oidc-provider';
import { DEVICE_CODE } from '../../model/client.ts';
import { type ProviderContext, routeOf } from '../provider/context.ts';
import { override } from './models.ts';

export function refuseUnauthorizedClients({ Client: { prototype } }: Provider): void {
  override(prototype, 'grantTypeAllowed', (_client, original, type) => {
    if (original(type)) return true;
    // The provider also asks about grants that the request is not about, e.g. whether to add a refresh token.
    if (Provider.ctx && type === grantTypeOf(Provider.ctx))
      throw new errors.UnauthorizedClient(`the client may not use the grant type ${type}`);
    return false;
  });
  override(prototype, 'responseTypeAllowed', (_client, original, type) => {
    if (original(type)) return true;
    throw new errors.UnauthorizedClient(`the client may not use the response type ${type}`);
  });
  // The mode that a response type has by itself is no reason to refuse: the type is, by the step that comes next.
  override(prototype, 'responseModeAllowed', (_client, original, ...mode) =>
    Provider.ctx?.oidc.params?.response_mode === undefined ? true : original(...mode),
  );
}

/** The grant type that a request is about. */
function grantTypeOf(ctx: ProviderContext): unknown {
  if (routeOf(ctx) === 'token') return ctx.oidc.params?.grant_type;
  return routeOf(ctx) === 'device_authorization' ? DEVICE_CODE : undefined;
}
