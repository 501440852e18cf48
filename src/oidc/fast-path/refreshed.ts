/** The ordinary refresh of a sign-in: the presented token is used once, and its successor has the same scopes. */
import type { Account, Client, Grant, RefreshToken } from 'oidc-provider';
import { traitsOf } from '../clients/clients.ts';
import { idTokenOf } from '../extensions/id-token.ts';
import { isImplied } from '../extensions/implied-resource.ts';
import { unsaved } from '../extensions/models.ts';
import { sharedReply } from '../extensions/refresh-grant.ts';
import { refreshLifetime } from '../tokens/refresh-lifetime.ts';
import { OPAQUE } from './credentials.ts';
import type { FastPathDeps } from './fast-path.ts';
import type { Asked } from './token.ts';

const GRANT = 'refresh_token';

interface Live {
  readonly used: RefreshToken;
  readonly grant: Grant;
  readonly account: Account;
  readonly client: Client;
}

export async function refreshed({ request, form, client }: Asked, deps: FastPathDeps) {
  const { refresh_token: value = '', scope, resource } = form;
  if (scope !== undefined || resource !== undefined) return undefined;
  const live = await liveRefreshToken(value, client, deps);
  if (live === undefined) return undefined;
  const { account } = live;
  const { reply, successors } = await madeOf(live, deps);
  const rotated = { successors, reply: sharedReply({ request: {}, reply }), leeway: deps.leeway };
  // Where another request was faster the provider's grant knows what this one is told.
  if (!(await deps.rotations.rotate(value, rotated))) return undefined;
  deps.line({ req: request, oidc: { client, account } }, 'token.refreshed', 'success', { grantType: GRANT });
  return reply;
}

/** With what hangs on it; undefined for one that is refused, and for one with something unusual. */
async function liveRefreshToken(
  value: string,
  client: Client,
  deps: FastPathDeps,
): Promise<Live | undefined> {
  const { provider, models, findAccount } = deps;
  const traits = traitsOf(client);
  if (!OPAQUE.test(value) || !traits.rotatesRefreshTokens) return undefined;
  if (client.idTokenEncryptedResponseAlg) return undefined;
  const used = await provider.RefreshToken.find(value, { ignoreExpiration: true });
  if (used === undefined || used.isExpired || used.consumed !== undefined || isUnusual(used))
    return undefined;
  const grant = await models.findGrant(used.grantId ?? '');
  if (grant === undefined || grant.isExpired || grant.accountId !== used.accountId) return undefined;
  if (used.clientId !== client.clientId || grant.clientId !== client.clientId) return undefined;
  const account = await findAccount({ oidc: { client, grant, params: {} } }, used.accountId);
  return account && { used, grant, account, client };
}

function isUnusual(used: RefreshToken): boolean {
  const { claims, rar, expiresWithSession, attestationJkt, resource = [] } = used;
  const isForApi = resource.length > 0 || isImplied(used);
  const isBound = expiresWithSession === true || attestationJkt !== undefined || used.isSenderConstrained();
  return isForApi || isBound || claims !== undefined || rar !== undefined;
}

async function madeOf({ used, grant, account, client }: Live, deps: FastPathDeps) {
  const { provider, config, tokenClaims } = deps;
  const { accountId, acr, amr, authTime, expiresWithSession, iiat, nonce, sid, sessionUid } = used;
  const { scope = '', resource, rotations = 0, gty: before = '', grantId = '' } = used;
  const gty = before.endsWith(GRANT) ? before : `${before} ${GRANT}`;
  const common = {
    ...{ client, accountId, acr, amr, authTime, expiresWithSession, sid, sessionUid, grantId, gty },
    family: familyOf(used),
  };
  const lifetime = refreshLifetime(config.oidc.lifetimes, grant.exp);
  const refresh = new provider.RefreshToken({
    ...{ ...common, iiat, nonce, scope, resource },
    ...{ rotations: rotations + 1, expiresIn: lifetime },
  });
  const access = new provider.AccessToken({ ...common, scope: grant.getOIDCScopeFiltered(used.scopes) });
  const oidc = { route: 'token', client, params: {}, account, entities: {}, requestParamScopes: used.scopes };
  const extra = await tokenClaims({ oidc }, access);
  if (extra !== undefined) access.extra = extra;
  const [newRefresh, newAccess] = await Promise.all([unsaved(refresh), unsaved(access)]);
  const { value: accessToken } = newAccess;
  const idToken = used.scopes.has('openid')
    ? await idTokenOf(provider, { client, account, grant, accessToken, source: refresh })
    : undefined;
  const reply = {
    ...{ access_token: accessToken, expires_in: access.expiration, id_token: idToken },
    ...{ refresh_token: newRefresh.value, scope: access.scope, token_type: access.tokenType },
  };
  return { reply, successors: [newRefresh, newAccess] };
}

function familyOf(token: object): string | undefined {
  const { family }: { family?: string } = token;
  return family;
}
