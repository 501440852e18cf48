/** What the token endpoint makes of a code or a refresh token, none of it stored yet, and the reply that has it. */
import type { Account, AuthorizationCode, Client, Grant, RefreshToken } from 'oidc-provider';
import { idTokenOf } from '../extensions/id-token.ts';
import { unsaved } from '../extensions/models.ts';
import { refreshLifetime } from '../tokens/refresh-lifetime.ts';
import type { FastPathDeps } from './fast-path.ts';

export interface Source {
  readonly source: AuthorizationCode | RefreshToken;
  readonly client: Client;
  readonly grant: Grant;
  readonly account: Account;
  readonly gty: string;
  /** Which code the tokens stem from. */
  readonly family: string | undefined;
  /** Of the new refresh token; absent: there is none. */
  readonly refresh?: { readonly rotations: number; readonly iiat?: number | undefined } | undefined;
}

export async function madeFrom(input: Source, deps: FastPathDeps) {
  const { source, client, grant, account } = input;
  const { provider, tokenClaims } = deps;
  const access = accessTokenOf(input, deps);
  const oidc = {
    route: 'token',
    client,
    params: {},
    account,
    entities: {},
    requestParamScopes: source.scopes,
  };
  const extra = await tokenClaims({ oidc }, access);
  if (extra !== undefined) access.extra = extra;
  const refresh = refreshTokenOf(input, deps);
  const [newAccess, newRefresh] = await Promise.all([unsaved(access), refresh && unsaved(refresh)]);
  const accessToken = newAccess.value;
  const idToken = source.scopes.has('openid')
    ? await idTokenOf(provider, { client, account, grant, accessToken, source })
    : undefined;
  const reply = {
    ...{ access_token: accessToken, expires_in: access.expiration, id_token: idToken },
    ...{ refresh_token: newRefresh?.value, scope: access.scope, token_type: access.tokenType },
  };
  return { reply, successors: newRefresh === undefined ? [newAccess] : [newRefresh, newAccess] };
}

/** What both tokens take over. */
function commonOf({ source, client, account: { accountId }, gty, family }: Source) {
  const { acr, amr, authTime, expiresWithSession, sid, sessionUid, grantId = '' } = source;
  const signIn = { accountId, acr, amr, authTime };
  return { ...signIn, client, expiresWithSession, sid, sessionUid, grantId, gty, family };
}

function accessTokenOf(input: Source, { provider }: FastPathDeps) {
  const { source, grant } = input;
  return new provider.AccessToken({
    ...commonOf(input),
    scope: grant.getOIDCScopeFiltered(source.scopes),
  });
}

function refreshTokenOf(input: Source, { provider, config }: FastPathDeps) {
  const { source, grant, refresh } = input;
  if (refresh === undefined) return undefined;
  const { nonce, scope = '', resource } = source;
  const expiresIn = refreshLifetime(config.oidc.lifetimes, grant.exp);
  return new provider.RefreshToken({ ...commonOf(input), ...refresh, nonce, scope, resource, expiresIn });
}
