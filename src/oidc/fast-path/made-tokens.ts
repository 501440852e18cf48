/** What the token endpoint makes of an ordinary code or refresh token, none of it stored yet, and the reply that has it. */
import { hash } from 'node:crypto';
import type { AuthorizationCode, Client, Grant, RefreshToken } from 'oidc-provider';
import { provenAmr } from '../../model/amr.ts';
import type { KnownAccount } from '../clients/claims.ts';
import { subjectFor } from '../clients/subjects.ts';
import { isImplied } from '../extensions/implied-resource.ts';
import { unsaved } from '../extensions/models.ts';
import { refreshLifetime } from '../tokens/refresh-lifetime.ts';
import type { FastPathDeps } from './fast-path.ts';

/** What is left to the provider. */
export function isUnusual(source: Source['source']): boolean {
  const { claims, rar, expiresWithSession, attestationJkt, resource = [] } = source;
  const isForApi = resource.length > 0 || isImplied(source);
  const isBound = expiresWithSession === true || attestationJkt !== undefined;
  return isForApi || isBound || claims !== undefined || rar !== undefined;
}

/** The sign-in behind it; undefined where it has ended, or is another client's. */
export async function signInOf<Token extends Source['source']>(
  source: Token,
  client: Client,
  deps: FastPathDeps,
) {
  const { clientId } = client;
  const grant = await deps.models.findGrant(source.grantId ?? '');
  if (grant === undefined || grant.isExpired || grant.accountId !== source.accountId) return undefined;
  if (source.clientId !== clientId || grant.clientId !== clientId) return undefined;
  if (grant.getRejectedOIDCClaims().length > 0) return undefined;
  const account = await deps.findAccount(
    { oidc: { client, grant, params: {} } },
    source.accountId ?? '',
    source,
  );
  return account && { source, client, grant, account };
}

export interface Source {
  readonly source: AuthorizationCode | RefreshToken;
  readonly client: Client;
  readonly grant: Grant;
  readonly account: KnownAccount;
  readonly gty: string;
  /** Which code the tokens stem from. */
  readonly family: string | undefined;
  /** Of the new refresh token; absent: there is none. */
  readonly refresh?: { readonly rotations: number; readonly iiat?: number | undefined } | undefined;
}

export async function madeFrom(input: Source, deps: FastPathDeps) {
  const { source, client, grant, account, refresh } = input;
  const { tokenClaims } = deps;
  const { lifetimes } = deps.config.oidc;
  const { accountId } = account;
  const { scopes, nonce, resource } = source;
  const oidc = { route: 'token', client, params: {}, account, entities: {}, requestParamScopes: scopes };
  const extra = await tokenClaims({ oidc }, { kind: 'AccessToken', accountId });
  const scope = grant.getOIDCScopeFiltered(scopes);
  const common = commonOf(input);
  const access = unsaved('AccessToken', { ...common, scope, ...(extra && { extra }) }, lifetimes.accessToken);
  const next =
    refresh &&
    unsaved(
      'RefreshToken',
      {
        ...common,
        ...{ iiat: refresh.iiat ?? access.payload.iat, rotations: refresh.rotations },
        ...{ nonce, scope: source.scope ?? '', resource },
      },
      refreshLifetime(lifetimes, grant.exp),
    );
  const idToken = scopes.has('openid') ? await idTokenOf(input, access.value, deps) : undefined;
  const reply = {
    ...{ access_token: access.value, expires_in: access.lifetime, id_token: idToken },
    ...{ refresh_token: next?.value, scope, token_type: 'Bearer' },
  };
  return { reply, successors: next === undefined ? [access] : [next, access] };
}

/** What both tokens take over. */
function commonOf({ source, client: { clientId }, account: { accountId }, gty, family }: Source) {
  const { acr, amr, authTime, expiresWithSession, sid, sessionUid, grantId } = source;
  return {
    accountId,
    acr,
    amr,
    authTime,
    clientId,
    expiresWithSession,
    sid,
    sessionUid,
    grantId,
    gty,
    family,
  };
}

/** As the provider's grants make it where the client asked by scope alone. */
function idTokenOf(
  { source, client, account }: Source,
  accessToken: string,
  deps: FastPathDeps,
): Promise<string> {
  const { acr, amr, authTime, nonce, sid, scopes } = source;
  const iat = Math.floor(Date.now() / 1000);
  const sub = subjectFor(account.accountId, { client, secrets: deps.secrets });
  const claims = {
    ...{ sub, acr, amr: amr && provenAmr(amr), auth_time: authTime },
    ...account.besides('id_token', [...scopes].join(' ')),
    ...{ nonce, sid, at_hash: hash('sha256', accessToken, 'buffer').subarray(0, 16).toString('base64url') },
    ...{ aud: client.clientId, exp: iat + deps.config.oidc.lifetimes.idToken, iat, iss: deps.issuer },
  };
  return deps
    .signingKey(client.idTokenSignedResponseAlg === 'ES256' ? 'ES256' : 'RS256')
    .jwt(undefined, claims);
}
