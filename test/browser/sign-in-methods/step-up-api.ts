/**
 * An API that asks for a fresher or a stronger sign-in (RFC 9470), and an app that goes for it with openid-client:
 * the code of docs/apis.md.
 */
import { once } from 'node:events';
import { createServer, type IncomingMessage } from 'node:http';
import type { AddressInfo } from 'node:net';
import { createRemoteJWKSet, jwtVerify } from 'jose';
import {
  type Configuration,
  fetchProtectedResource,
  tokenIntrospection,
  WWWAuthenticateChallengeError,
} from 'openid-client';

/** What of a token the API looks at. */
type SignIn = Readonly<Record<string, unknown>>;

interface Needs {
  readonly acrValues?: readonly string[];
  /** Seconds. */
  readonly maxAge?: number;
}

/** Value of WWW-Authenticate; undefined: the sign-in will do. It names all needs: one answer must meet them together. */
function challenge({ acr, auth_time: time }: SignIn, { acrValues, maxAge }: Needs): string | undefined {
  const isStrong = acrValues?.includes(String(acr)) ?? true;
  const isFresh = maxAge === undefined || Number(time) >= Date.now() / 1000 - maxAge;
  if (isStrong && isFresh) return undefined;
  return [
    'Bearer error="insufficient_user_authentication"',
    'error_description="sign in again as acr_values and max_age say"',
    ...(acrValues ? [`acr_values="${acrValues.join(' ')}"`] : []),
    ...(maxAge !== undefined ? [`max_age="${maxAge}"`] : []),
  ].join(', ');
}

/** By path. */
const NEEDS: Readonly<Record<string, Needs>> = {
  '/balance': {},
  '/transfer': { acrValues: ['urn:portico:acr:stepup'] },
  '/address': { maxAge: 300 },
  '/closing': { acrValues: ['urn:portico:acr:stepup'], maxAge: 300 },
};

export async function startApi(read: (token: string) => Promise<SignIn>) {
  const server = createServer(async (request, response) => {
    const token = bearerOf(request);
    const needs = NEEDS[request.url ?? ''] ?? {};
    const said = await read(token).catch(() => undefined);
    const lacks = said === undefined ? 'Bearer error="invalid_token"' : challenge(said, needs);
    response.writeHead(
      lacks === undefined ? 200 : 401,
      lacks === undefined ? {} : { 'www-authenticate': lacks },
    );
    response.end('done');
  });
  server.listen(0, '127.0.0.1');
  await once(server, 'listening');
  const { port } = server.address() as AddressInfo;
  return { url: `http://127.0.0.1:${port}`, close: () => server.close() };
}

function bearerOf({ headers: { authorization = '' } }: IncomingMessage): string {
  return authorization.replace(/^Bearer /, '');
}

/** JWTs it judges by itself. */
export function readsJwts(issuer: string, audience: string): (token: string) => Promise<SignIn> {
  const keys = createRemoteJWKSet(new URL(`${issuer}/jwks`));
  const checks = { issuer, audience, typ: 'at+jwt', algorithms: ['ES256', 'RS256'] };
  return async (token) => (await jwtVerify(token, keys, checks)).payload;
}

export function introspects(configuration: Configuration): (token: string) => Promise<SignIn> {
  return async (token) => {
    const said = await tokenIntrospection(configuration, token);
    if (!said.active) throw new Error('The token is over.');
    return said;
  };
}

/** Calls the API. `parameters`: what the authorization request needs that would satisfy it; without them it is done. */
export async function call(configuration: Configuration, token: string, url: string) {
  try {
    const { status } = await fetchProtectedResource(configuration, token, new URL(url), 'GET');
    return { status };
  } catch (error) {
    if (!(error instanceof WWWAuthenticateChallengeError)) throw error;
    const asked = error.cause.find(
      ({ parameters }) => parameters.error === 'insufficient_user_authentication',
    );
    const { acr_values, max_age } = asked?.parameters ?? {};
    const parameters = { ...(acr_values && { acr_values }), ...(max_age && { max_age }) };
    return { status: error.status, ...(asked && { parameters }) };
  }
}
