/** The new token for an API: which scopes it gets, for how long, and with a refresh token where that is allowed. */
import { type Client, errors, type RefreshToken, type ResourceServer } from 'oidc-provider';
import { TOKEN_EXCHANGE } from '../../model/client.ts';
import { resourceServer } from '../apis/resource-indicators.ts';
import { traitsOf } from '../clients/clients.ts';
import { notesOf } from '../extensions/request-notes.ts';
import { refuseToken } from './admission.ts';
import { childGrant, nowOf, proveParent } from './child-grants.ts';
import type { Exchange, ExchangeDeps } from './deps.ts';
import type { Rule } from './policy.ts';
import { JWT } from './request.ts';

export async function issueForApi(deps: ExchangeDeps, exchange: Exchange): Promise<void> {
  const { provider, oidcRecords } = deps;
  const { ctx, client, request, target, possession, subject, rule } = exchange;
  const api = await resourceServer(deps, ctx, target, client);
  if (request.type === JWT && api.accessTokenFormat !== 'jwt') {
    throw new errors.InvalidRequest('requested_token_type: the API has opaque tokens');
  }
  const scopes = judgeScopes(exchange, api);
  const grant = childOf(deps, exchange, api);
  const seconds = Math.min(Number(api.accessTokenTTL), subject.expiresAt - nowOf(deps.clock), grant.lifetime);
  if (seconds < 1) return refuseToken('is-unknown');
  notesOf(ctx).signIn = { acr: rule.acr ?? subject.acr, amr: subject.amr, authTime: subject.authTime };
  const access = new provider.AccessToken({
    ...{ client, accountId: subject.accountId, grantId: grant.value, gty: TOKEN_EXCHANGE },
    ...{ scope: scopes.join(' ') || undefined, expiresIn: seconds },
    resourceServer: new provider.ResourceServer(target, api),
  });
  possession.bind(access);
  const refresh = ctx.oidc.requestParamScopes.has(OFFLINE)
    ? refreshToken(deps, exchange, { grant, scope: [...scopes, OFFLINE].join(' ') })
    : undefined;
  if (refresh) await possession.bindRefresh(access, refresh);
  await oidcRecords.saveAll([grant]);
  ctx.oidc.entity('AccessToken', access);
  const value = await access.save();
  const refreshValue = await refresh?.save();
  await proveParent(oidcRecords, subject, async () => {
    await Promise.all([oidcRecords.remove('Grant', grant.value), access.destroy(), refresh?.destroy()]);
  });
  ctx.body = {
    access_token: value,
    issued_token_type: request.type,
    token_type: access.tokenType,
    expires_in: access.expiration,
    ...(scopes.length > 0 && { scope: scopes.join(' ') }),
    ...(refreshValue !== undefined && { refresh_token: refreshValue }),
  };
}

/* ------------------------------------------------------------------ scopes */

const OFFLINE = 'offline_access';

/** What the new token may do: what is asked for, or all that it can get. Never more than policy.ts says. */
function judgeScopes({ ctx, client, subject, rule }: Exchange, { scope }: ResourceServer): string[] {
  const granted = scope.split(' ').filter((name) => name !== '');
  const most = rule.scope === 'of both' ? granted.filter((name) => subject.scopes.includes(name)) : granted;
  const asked = [...ctx.oidc.requestParamScopes];
  const [excess] = asked.filter((name) =>
    name === OFFLINE ? !mayRefresh(client, rule) : !most.includes(name),
  );
  if (excess !== undefined) throw beyond(excess);
  const named = asked.filter((name) => name !== OFFLINE);
  if (named.length === 0 && most.length === 0 && granted.length > 0) throw beyond(granted.join(' '));
  return named.length > 0 ? named : most;
}

function mayRefresh(client: Client, { refresh }: Rule): boolean {
  return refresh && traitsOf(client).exchangesOffline && client.grantTypeAllowed('refresh_token');
}

const beyond = (scope: string) =>
  new errors.InvalidScope(
    'an exchange gives no scope that the client or the subject_token does not have',
    scope,
  );

/* ------------------------------------------------------------------ what is stored */

function childOf(deps: ExchangeDeps, { client, target, subject, rule }: Exchange, { scope }: ResourceServer) {
  const { endsParent } = traitsOf(client);
  const openid = mayRefresh(client, rule) && { openid: { scope: OFFLINE } };
  const scopes = { resources: { [target]: scope }, ...openid };
  return childGrant(deps, subject, { clientId: client.clientId, target, scopes, endsParent });
}

function refreshToken(
  { provider, config }: ExchangeDeps,
  { client, target, subject, rule }: Exchange,
  { grant, scope }: { grant: { value: string; lifetime: number }; scope: string },
): RefreshToken {
  const { acr = subject.acr } = rule;
  return new provider.RefreshToken({
    ...{ client, accountId: subject.accountId, grantId: grant.value, gty: TOKEN_EXCHANGE, scope },
    ...{ acr, amr: [...subject.amr], authTime: subject.authTime, resource: target, rotations: 0 },
    expiresIn: Math.min(config.oidc.lifetimes.refreshToken, grant.lifetime),
  });
}
