/** UserInfo of a live opaque Bearer token, as plain JSON. */
import { createAccountFinder } from '../clients/claims.ts';
import { claimsOfScope } from '../extensions/claims.ts';
import type { FastRoute } from '../fast-path-contract.ts';
import { ROUTES } from '../provider/routes.ts';
import { DIALECT_GRANT } from '../tokens/dialect-tokens.ts';
import { OPAQUE } from './credentials.ts';
import type { FastPathDeps } from './fast-path.ts';
import { JSON_REPLY, liveAccessToken } from './live-token.ts';

export function userinfoRoute(deps: FastPathDeps): FastRoute {
  const { accounts, config, provider } = deps;
  const findAccount = createAccountFinder({ accounts, rolesAliases: config.oidc.rolesAliases });
  return {
    pattern: ROUTES.userinfo,
    takesForm: false,
    async answer({ headers: { authorization } }) {
      const [, value = ''] = /^Bearer ([\w-]+)$/.exec(authorization ?? '') ?? [];
      if (!OPAQUE.test(value)) return undefined;
      const live = await liveAccessToken(value, deps);
      if (live === undefined) return undefined;
      const { token, grant, client } = live;
      if (token.aud !== undefined || token.gty === DIALECT_GRANT) return undefined;
      if (!token.scopes.has('openid') || token.claims?.userinfo !== undefined) return undefined;
      if (client.userinfoSignedResponseAlg || client.userinfoEncryptedResponseAlg) return undefined;
      const oidc = { client, grant, params: {} };
      const account = await findAccount({ oidc }, token.accountId);
      if (account === undefined) return undefined;
      const scope = grant.getOIDCScopeFiltered(token.scopes);
      const claims = await claimsOfScope(provider, { account, client, scope, grant });
      return { headers: JSON_REPLY, body: JSON.stringify(claims) };
    },
  };
}
