/** UserInfo of a live opaque Bearer token, as plain JSON. */
import type { AccessToken, Client, Grant } from 'oidc-provider';
import type { AccountRecord } from '../../model/account.ts';
import { createAccountViewer } from '../clients/claims.ts';
import { claimsOfScope } from '../extensions/claims.ts';
import type { FastAnswer, FastRoute } from '../fast-path-contract.ts';
import { ROUTES } from '../provider/routes.ts';
import { DIALECT_GRANT } from '../tokens/dialect-tokens.ts';
import { OPAQUE } from './credentials.ts';
import type { FastPathDeps } from './fast-path.ts';
import { type KeyedRequest, keptRoute } from './kept-route.ts';
import { JSON_REPLY, liveAccessToken } from './live-token.ts';

/** An answer, and what it was made of. */
interface Made {
  readonly grant: Grant;
  readonly client: Client;
  readonly record: AccountRecord;
  readonly answer: FastAnswer;
}

export function userinfoRoute(deps: FastPathDeps): FastRoute {
  const { accounts, config, provider } = deps;
  const viewAccount = createAccountViewer(config.oidc.rolesAliases);
  const made = new WeakMap<AccessToken, Made>();
  const route = {
    pattern: ROUTES.userinfo,
    takes: 'nothing',
    async answer({ authorization }: KeyedRequest) {
      const [, value = ''] = /^Bearer ([\w-]+)$/.exec(authorization) ?? [];
      if (!OPAQUE.test(value)) return undefined;
      const live = await liveAccessToken(value, deps);
      if (live === undefined) return undefined;
      const { token, grant, client } = live;
      if (token.aud !== undefined || token.gty === DIALECT_GRANT) return undefined;
      if (!token.scopes.has('openid') || token.claims?.userinfo !== undefined) return undefined;
      if (client.userinfoSignedResponseAlg || client.userinfoEncryptedResponseAlg) return undefined;
      const record = await accounts.byId(token.accountId);
      if (record === undefined) return undefined;
      const known = made.get(token);
      if (known?.grant === grant && known.client === client && isSame(known.record, record))
        return known.answer;
      const account = viewAccount({ oidc: { client, grant, params: {} } }, record);
      if (account === undefined) return undefined;
      const scope = grant.getOIDCScopeFiltered(token.scopes);
      const claims = await claimsOfScope(provider, { account, client, scope, grant });
      const answer = { headers: JSON_REPLY, body: JSON.stringify(claims) };
      made.set(token, { grant, client, record, answer });
      return answer;
    },
  } as const;
  return keptRoute(route, deps);
}

/** Every change of an account makes another version of it, but for the time of its last sign-in, which is no claim. */
function isSame(one: AccountRecord, other: AccountRecord): boolean {
  return one.version === other.version && Number(one.createdAt) === Number(other.createdAt);
}
