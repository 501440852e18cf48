/**
 * Introspection of API keys, which are no tokens of the provider. The provider authenticates the client and finds
 * nothing; where it was asked about an API key that this client may ask about, the answer is replaced.
 */
import type { Client } from 'oidc-provider';
import type { TokenRights } from '../clients/token-permissions.ts';
import type { ApiKeyDescriber } from '../contract.ts';
import { type ProviderContext, type ProviderMiddleware, routeOf } from '../provider/context.ts';

export function introspectApiKeys(deps: {
  describe: ApiKeyDescriber;
  rights: TokenRights;
}): ProviderMiddleware {
  return async (ctx, next) => {
    await next();
    const asked = ctx as ProviderContext;
    const client: Client | undefined = asked.oidc?.client;
    const noMatch = (ctx.body as { active?: unknown } | undefined)?.active === false;
    if (routeOf(asked) !== 'introspection' || client === undefined || !noMatch) return;
    const key = asked.oidc.body?.token;
    const described = typeof key === 'string' ? await deps.describe(key) : undefined;
    if (described === undefined || !(await deps.rights.mayIntrospect(asked, client, described))) return;
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
