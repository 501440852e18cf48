/** The access token of a client that acts for itself (client_credentials): for an API, or for none. */
import type { Client, ResourceServer } from 'oidc-provider';
import { defaultApi, resourceServer } from '../apis/resource-indicators.ts';
import { takeScope } from '../clients/scopes.ts';
import { unsaved } from '../extensions/models.ts';
import type { Payload } from '../persistence/records.ts';
import type { TokenRequest } from '../provider/context.ts';
import { handleOf } from '../tokens/token-handle.ts';
import type { FastPathDeps } from './fast-path.ts';
import type { Asked } from './token.ts';
import { unlessRefused } from './unless-refused.ts';

/** The characters of scopes (RFC 6749, 3.3), and blanks between them. */
const SCOPES = /^[\x20\x21\x23-\x5b\x5d-\x7e]*$/;

export async function ownToken({ request, form, client }: Asked, deps: FastPathDeps) {
  const params: Record<string, unknown> = { ...form };
  takeScope({ route: 'token', params, body: undefined }, client);
  const scope = typeof params.scope === 'string' ? params.scope : undefined;
  const requestParamScopes = new Set(scope?.split(' '));
  const oidc = { route: 'token', client, params, account: undefined, entities: {}, requestParamScopes };
  if (!SCOPES.test(scope ?? '') || !allows(client, oidc, deps)) return undefined;
  const target = form.resource ?? (await defaultApi(deps, client))?.identifier;
  // What is for no API may have scopes of the provider's own, which it judges.
  if (target === undefined && scope !== undefined) return undefined;
  const api = target === undefined ? undefined : await apiAt(target, { oidc }, client, deps);
  if (api === undefined && target !== undefined) return undefined;

  const { oidcRecords, config, line, tokenClaims } = deps;
  const extra = await tokenClaims(
    { oidc },
    { kind: 'ClientCredentials', ...(api && { resourceServer: api }) },
  );
  const granted = [...requestParamScopes].join(' ') || undefined;
  const { kind, value, payload, lifetime } = unsaved(
    'ClientCredentials',
    { clientId: client.clientId, aud: api?.audience, scope: granted, extra },
    api?.accessTokenTTL ?? config.oidc.lifetimes.clientCredentials,
  );
  const token = api?.accessTokenFormat === 'jwt' ? await jwtOf(payload, api, deps) : value;
  await oidcRecords.save(kind, handleOf(token), payload, lifetime);
  line({ req: request, oidc: { client } }, 'token.issued', 'success', { grantType: 'client_credentials' });
  return { access_token: token, expires_in: lifetime, scope: granted, token_type: 'Bearer' };
}

/** Undefined where it is refused. */
async function apiAt(target: string, ctx: TokenRequest, client: Client, deps: FastPathDeps) {
  const server = await unlessRefused(resourceServer(deps, ctx, target, client));
  return server && new deps.provider.ResourceServer(target, server);
}

/** RFC 9068. */
function jwtOf(
  { extra, jti, clientId, iat, exp, scope, aud }: Payload,
  { jwt }: ResourceServer,
  deps: FastPathDeps,
): Promise<string> {
  const claims = {
    ...Object(extra),
    ...{ jti, sub: clientId, iat, exp, scope, client_id: clientId, iss: deps.issuer, aud },
  };
  const isRsa = jwt?.sign && jwt.sign.alg === 'RS256';
  return deps.signingKey(isRsa ? 'RS256' : 'ES256').jwt('at+jwt', claims);
}

/** Among the scopes that the provider knows, a client may have a list of its own. */
function allows(
  { scope }: Client,
  { requestParamScopes }: TokenRequest['oidc'],
  { scopes }: FastPathDeps,
): boolean {
  const own = scope?.split(' ');
  return own === undefined || [...requestParamScopes].every((one) => !scopes.has(one) || own.includes(one));
}
