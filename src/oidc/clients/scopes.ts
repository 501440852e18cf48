/**
 * The `scope` parameter before the provider reads it, and what of it is refused (RFC 6749, 3.3 and 5.2):
 *
 * - Surplus blanks are no error.
 * - A request without scope means the client's `default_scope`. Where a person would sign in and the client has
 *   none, the request is refused before that. A client that acts for itself gets a token without scopes: it says who it is.
 * - A sign-in request passes over unknown scopes beside a known one (OIDC Core, 3.1.2.1), and is refused where all
 *   are unknown. A client that acts for itself hears `invalid_scope` for any.
 */
import { type Client, type ClientCredentials, errors } from 'oidc-provider';
import type { ProviderContext } from '../provider/context.ts';
import { traitsOf } from './clients.ts';

type OidcContext = ProviderContext['oidc'];

const SIGN_IN: ReadonlySet<string> = new Set([
  'authorization',
  'device_authorization',
  'pushed_authorization_request',
]);

const KNOWN = 'a scope must be one of scopes_supported of the discovery document, or of the API (resource)';

/** Puts the parameter right, once the client is known. */
export function takeScope(
  { route, params, body }: Pick<OidcContext, 'route' | 'params' | 'body'>,
  client: Client,
): void {
  if (!SIGN_IN.has(route) && route !== 'token') return;
  // The provider reads the body into the parameters before or after it knows the client.
  for (const request of [params, body]) {
    if (request === undefined) continue;
    const { scope = '' } = request;
    if (typeof scope !== 'string') continue;
    const asked = scope.split(' ').filter((word) => word !== '');
    const words = asked.join(' ') || defaultScope(route, request, client);
    request.scope = words;
  }
}

function defaultScope(
  route: string,
  request: Readonly<Record<string, unknown>>,
  client: Client,
): string | undefined {
  // What was pushed has it already.
  const isWhole = SIGN_IN.has(route) && request.request_uri === undefined;
  const isOnItsOwn = request.grant_type === 'client_credentials';
  return isWhole || isOnItsOwn ? traitsOf(client).defaultScope : undefined;
}

/** Of a request that a person would sign in for: nothing that it asks for could be given. */
export function refuseWithoutScope({ oidc }: ProviderContext): void {
  const { requestParamOIDCScopes, requestParamScopes, resourceServers = {} } = oidc;
  const servers = Object.values(resourceServers);
  const isKnown = (scope: string) =>
    requestParamOIDCScopes.has(scope) || servers.some((server) => server.scopes.has(scope));
  // offline_access asks for no access by itself.
  if ([...requestParamScopes].some((scope) => scope !== 'offline_access' && isKnown(scope))) return;
  const asked = oidc.params?.scope;
  if (!asked)
    throw new errors.CustomOIDCProviderError(
      'invalid_scope',
      'send scope: the client has no default_scope, or signs its request',
    );
  throw new errors.InvalidScope(`none of the requested scopes is known: ${KNOWN}`, String(asked));
}

/** Of a token that a client gets for itself, where it is for no API (whose scopes apis/ judges). */
export function refuseUnknownScope(oidc: OidcContext, token: ClientCredentials): void {
  if (oidc.route !== 'token' || token.resourceServer !== undefined) return;
  const unknown = [...oidc.requestParamScopes].find((scope) => !oidc.requestParamOIDCScopes.has(scope));
  if (unknown !== undefined) throw new errors.InvalidScope(`requested scope is unknown: ${KNOWN}`, unknown);
}
