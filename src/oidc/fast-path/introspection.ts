/** Introspection of a live opaque token by its own client, or by the API that it is for. */
import type { AccessToken, ClientCredentials } from 'oidc-provider';
import { isForAsker } from '../clients/token-permissions.ts';
import type { FastAnswer, FastRoute } from '../fast-path-contract.ts';
import { ROUTES } from '../provider/routes.ts';
import { clientByBasic, OPAQUE, plainForm } from './credentials.ts';
import type { FastPathDeps } from './fast-path.ts';
import { type KeyedRequest, keptRoute } from './kept-route.ts';
import { JSON_REPLY, liveAccessToken, liveOwnToken } from './live-token.ts';

export function introspectionRoute(deps: FastPathDeps): FastRoute {
  const answers = new WeakMap<Live, FastAnswer>();
  const route = {
    pattern: ROUTES.introspection,
    takes: 'form',
    async answer({ authorization, accept, text }: KeyedRequest) {
      // RFC 9701: the provider signs.
      if (/jwt/i.test(accept)) return undefined;
      const { token: value = '' } = plainForm(text, ['token']) ?? {};
      if (!OPAQUE.test(value)) return undefined;
      const client = await clientByBasic(authorization, deps);
      if (client === undefined || client.introspectionEncryptedResponseAlg) return undefined;
      const live = (await liveAccessToken(value, deps)) ?? (await liveOwnToken(value, deps));
      if (live === undefined || !isForAsker(client, live.token)) return undefined;
      if (!(await deps.rights.holderMayGoOn(live.token))) return undefined;
      const answer = answers.get(live.token) ?? described(live.token, value, deps.provider.issuer);
      answers.set(live.token, answer);
      return answer;
    },
  } as const;
  return keptRoute(route, deps);
}

/** A token of a person, or of a client that acts for itself. */
type Live = Omit<ClientCredentials, 'kind'> & Partial<Pick<AccessToken, 'accountId' | 'sid'>>;

function described(token: Live, value: string, issuer: string): FastAnswer {
  const { accountId, extra, clientId, exp, iat, sid, jti, aud, scope, tokenType } = token;
  const body = {
    // Where the provider puts it.
    active: true,
    ...(accountId && { sub: accountId }),
    ...extra,
    ...{ client_id: clientId, exp, iat, sid, iss: issuer },
    ...{ jti: jti === value ? undefined : jti, aud, scope: scope || undefined, token_type: tokenType },
  };
  return { headers: JSON_REPLY, body: JSON.stringify(body) };
}
