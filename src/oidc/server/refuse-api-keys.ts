/**
 * Revocation of API keys, which are no tokens of the provider: it would say 200, as for any token that it does not
 * know, and the key would live on. Keys end where they were made, and the client is told (RFC 7009, 2.2.1). By the
 * form alone: whether there is such a key is nobody's to learn here.
 */
import { type ProviderContext, type ProviderMiddleware, routeOf } from '../provider/context.ts';

export function refuseToRevokeApiKeys(isApiKey: (text: string) => boolean): ProviderMiddleware {
  return async (ctx, next) => {
    await next();
    const asked = ctx as ProviderContext;
    const token = asked.oidc?.body?.token;
    if (routeOf(asked) !== 'revocation' || ctx.status !== 200) return;
    if (typeof token !== 'string' || !isApiKey(token)) return;
    ctx.status = 400;
    ctx.body = {
      error: 'unsupported_token_type',
      error_description: 'API keys are not revoked here but where they were made',
    };
  };
}
