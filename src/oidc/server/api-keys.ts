/**
 * API keys at introspection and revocation. They are no tokens of the provider, which says of each that it does
 * not know it.
 */
import { isOnRoute, type ProviderMiddleware } from '../provider/context.ts';
import type { ProviderDeps } from './deps.ts';

/** The provider authenticates the client and finds nothing: the answer about a key is put in its place. */
export function introspectApiKeys({ dialects, rights }: ProviderDeps): ProviderMiddleware {
  return async (ctx, next) => {
    await next();
    if (!isOnRoute(ctx, 'introspection')) return;
    const { client, body } = ctx.oidc;
    if (client === undefined || !saysInactive(ctx.body) || typeof body?.token !== 'string') return;
    const described = await dialects.describeApiKey(body.token);
    if (described === undefined || !(await rights.mayIntrospect(ctx, client, described))) return;
    const { clientId, subject, scope, issuedAt, claims } = described;
    ctx.body = {
      active: true,
      token_type: 'api_key',
      client_id: clientId,
      sub: subject,
      scope,
      iat: issuedAt,
      ...claims,
    };
  };
}

function saysInactive(body: unknown): boolean {
  return typeof body === 'object' && body !== null && 'active' in body && body.active === false;
}

/**
 * The provider says 200 to the revocation of any token that it does not know, and the key would live on. So the
 * client is told that keys end where they were made (RFC 7009, 2.2.1). The form of the text alone decides: the
 * answer must not tell whether such a key exists.
 */
export function refuseToRevokeApiKeys({ dialects }: ProviderDeps): ProviderMiddleware {
  return async (ctx, next) => {
    await next();
    if (!isOnRoute(ctx, 'revocation') || ctx.status !== 200) return;
    const token = ctx.oidc.body?.token;
    if (typeof token !== 'string' || !dialects.isApiKey(token)) return;
    ctx.status = 400;
    ctx.body = {
      error: 'unsupported_token_type',
      error_description: 'API keys are not revoked here but where they were made',
    };
  };
}
