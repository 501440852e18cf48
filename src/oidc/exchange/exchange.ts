/**
 * Token exchange (RFC 8693): the grant type with which a client turns an access token that it was given into one
 * for another API. policy.ts says who may exchange what, admission.ts whether this client may now; subject-token.ts
 * looks the given token up. What is made hangs on a child of its Grant (child-grants.ts), and ends with it.
 */
import type Provider from 'oidc-provider';
import { type AccessToken, type Client, errors, type RefreshToken, type ResourceServer } from 'oidc-provider';
import type { Clock } from '../../core/clock.ts';
import type { Secrets } from '../../core/crypto.ts';
import { TOKEN_EXCHANGE } from '../../model/client.ts';
import { type ApiDeps, defaultApi, resourceServer } from '../apis/resource-indicators.ts';
import { traitsOf } from '../clients/clients.ts';
import { notesOf } from '../extensions/request-notes.ts';
import { type Possession, possessionOf } from '../extensions/sender-constraints.ts';
import type { ProviderContext } from '../provider/context.ts';
import { type AdmissionDeps, admitClient, admitSubject, refuseToken } from './admission.ts';
import { childGrant } from './child-grants.ts';
import type { Rule } from './policy.ts';
import { type ExchangeRequest, JWT, PARAMETERS, readRequest } from './request.ts';
import { isStillThere, type SubjectToken } from './subject-token.ts';

export interface ExchangeDeps extends AdmissionDeps, ApiDeps {
  readonly provider: Provider;
  readonly accounts: AdmissionDeps['accounts'];
  readonly secrets: Secrets;
  readonly clock: Clock;
}

/** An exchange that was admitted. */
interface Exchange {
  readonly ctx: ProviderContext;
  readonly client: Client;
  readonly request: ExchangeRequest;
  readonly target: string;
  readonly possession: Possession;
  readonly subject: SubjectToken;
  readonly rule: Rule;
}

/** Before any client is loaded that names the grant type: the provider would refuse its metadata. */
export function allowTokenExchange(deps: ExchangeDeps): void {
  deps.provider.registerGrantType(TOKEN_EXCHANGE, (ctx) => exchange(deps, ctx), PARAMETERS);
}

async function exchange(deps: ExchangeDeps, ctx: ProviderContext): Promise<void> {
  const { client, params = {} } = ctx.oidc;
  if (client === undefined) throw new errors.InvalidClient('client is invalid');
  const request = readRequest(params);
  const possession = await possessionOf(deps.provider, ctx);
  admitClient(client, possession);
  const target = await targetOf(deps, client, params.resource);
  const asked = { value: request.subjectToken, client, target: 'api' as const, possession };
  const admitted = await admitSubject(deps, ctx, asked);
  const { subject } = admitted;
  notesOf(ctx).exchange = { from: subject.clientId, of: subject.kind, target };
  await issue(deps, { ctx, client, request, target, possession, ...admitted });
}

/** What the client names, or its default API. */
async function targetOf(deps: ExchangeDeps, client: Client, named: unknown): Promise<string> {
  const target = named === undefined ? (await defaultApi(deps, client))?.identifier : named;
  if (typeof target === 'string' && target !== '') return target;
  throw new errors.InvalidTarget('send resource, or audience: the client has no default API');
}

async function issue(deps: ExchangeDeps, exchange: Exchange): Promise<void> {
  const { provider, oidcRecords } = deps;
  const { ctx, client, request, target, possession, subject, rule } = exchange;
  const api = await resourceServer(deps, ctx, target, client);
  if (request.type === JWT && api.accessTokenFormat !== 'jwt') {
    throw new errors.InvalidRequest('requested_token_type: the API has opaque tokens');
  }
  const scopes = judgeScopes(exchange, api);
  const grant = childOf(deps, exchange, api);
  const seconds = Math.min(Number(api.accessTokenTTL), subject.expiresAt - nowOf(deps), grant.lifetime);
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
  await proveParent(deps, exchange, { grantId: grant.value, tokens: [access, refresh] });
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
  const now = nowOf(deps);
  const { grantEndsAt: until } = subject;
  const { endsParent } = traitsOf(client);
  const child = { clientId: client.clientId, target, scope, refresh: mayRefresh(client, rule), endsParent };
  return childGrant(subject, child, { secrets: deps.secrets, now, until });
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

/** The subject token's sign-in may have ended meanwhile, and that end did not see what was stored after it. */
async function proveParent(
  { oidcRecords }: ExchangeDeps,
  { subject }: Exchange,
  { grantId, tokens }: { grantId: string; tokens: readonly (AccessToken | RefreshToken | undefined)[] },
): Promise<void> {
  if (await isStillThere(oidcRecords, subject)) return;
  await Promise.all([oidcRecords.remove('Grant', grantId), ...tokens.map((token) => token?.destroy())]);
  refuseToken('ended-meanwhile');
}

function nowOf({ clock }: ExchangeDeps): number {
  return Math.floor(clock.now().getTime() / 1000);
}
