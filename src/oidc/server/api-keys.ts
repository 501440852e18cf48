/**
 * API keys at introspection and revocation. They are no tokens of the provider, which says of each that it does
 * not know it.
 */
import { signedAnswer } from '../extensions/id-token.ts';
import { isOnRoute, type ProviderMiddleware } from '../provider/context.ts';
import type { ProviderDeps } from './deps.ts';

/** The provider authenticates the client and finds nothing: the answer about a key is put in its place. */
export function introspectApiKeys({ dialects, rights }: ProviderDeps): ProviderMiddleware {
  return async (ctx, next) => {
    await next();
    if (!isOnRoute(ctx, 'introspection')) return;
    const { client, body, entities } = ctx.oidc;
    const foundToken = entities.AccessToken ?? entities.ClientCredentials ?? entities.RefreshToken;
    if (client === undefined || ctx.status !== 200 || foundToken || typeof body?.token !== 'string') return;
    const described = await dialects.describeApiKey(body.token);
    if (described === undefined || !(await rights.mayIntrospect(ctx, client, described))) return;
    const { clientId, subject, scope, issuedAt, claims } = described;
    const answer = {
      active: true,
      token_type: 'api_key',
      client_id: clientId,
      sub: subject,
      scope,
      iat: issuedAt,
      ...claims,
    };
    // RFC 9701: the client has asked for a JWT, and the provider has made one.
    const isSigned = typeof ctx.body === 'string';
    ctx.body = isSigned ? await signedAnswer(ctx, 'introspection', { token_introspection: answer }) : answer;
  };
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
