/**
 * Request objects (RFC 9101): the parameters of an authorization request in a JWT that the client has signed. The
 * server takes them, as `request` at /authorize and at /par, from clients that have registered keys; the others hear
 * `request_not_supported`. What stands inside obeys the same bounds as plain parameters do.
 */
import { type Client, errors } from 'oidc-provider';
import { isOnRoute, type ProviderContext, type ProviderMiddleware, type StepContext } from './context.ts';
import { ROUTES, requestBounds } from './routes.ts';

/** Of the parameters of an authorization request, those that say how its answer is sent. */
const OF_THE_ANSWER = ['response_mode', 'state'];

/**
 * A client that sends a request object has its response mode and its state in there: a refusal goes back in that
 * mode, with that state, or the client cannot read it.
 */
export const answerAsRequestObjectAsks: ProviderMiddleware = async (ctx, next) => {
  const { request } = ctx.query;
  if (ctx.path === ROUTES.authorization && typeof request === 'string') {
    const asked = membersOf(request).filter(([name]) => OF_THE_ANSWER.includes(name));
    const inObject = asked.filter((each): each is [string, string] => typeof each[1] === 'string');
    ctx.query = { ...Object.fromEntries(inObject), ...ctx.query };
  }
  await next();
  refusePushed(ctx);
};

function membersOf(requestObject: string): [string, unknown][] {
  const [, payload = ''] = requestObject.split('.');
  try {
    const claims: unknown = JSON.parse(Buffer.from(payload, 'base64url').toString('utf8'));
    return Object.entries(claims ?? {});
  } catch {
    return [];
  }
}

/** Whether the server could verify a request object of the client. */
function signsRequests({ jwks, jwksUri }: Client): boolean {
  return jwks !== undefined || jwksUri !== undefined;
}

/** At /authorize, as soon as the client is known, and before the provider reads the request object. */
export function refuseUnsignable({ route, params }: ProviderContext['oidc'], client: Client): void {
  if (route !== 'authorization' || params?.request === undefined || signsRequests(client)) return;
  throw new errors.RequestNotSupported();
}

/** At /par the client is known before its parameters are; the provider has looked, and has found no key. */
function refusePushed(ctx: StepContext): void {
  if (!isOnRoute(ctx, 'pushed_authorization_request')) return;
  const { client } = ctx.oidc;
  const body: unknown = ctx.body;
  if (client === undefined || signsRequests(client) || typeof body !== 'object' || body === null) return;
  if (!('error' in body) || body.error !== 'invalid_request_object') return;
  ctx.body = { error: 'request_not_supported' };
}

/**
 * What the provider leaves open. It has found `iss`, `aud` and times right, and verifies the signature after this.
 * The parameters of a pushed request come as an object too, one that the provider made from what this judged.
 */
export function judgeRequestObject(
  ctx: ProviderContext,
  claims: Readonly<Record<string, unknown>>,
  { alg, typ }: Readonly<Record<string, unknown>>,
  client: Client,
): void {
  const { route, entities } = ctx.oidc;
  if ('PushedAuthorizationRequest' in entities) return;
  const invalid = (description: string) => new errors.InvalidRequestObject(description);
  if (route === 'device_authorization' || !signsRequests(client)) throw new errors.RequestNotSupported();
  // A client signs other JWTs with the same key for the same server: RFC 9101, 10.8.
  if (typ !== undefined && !/^(?:application\/)?(?:oauth-authz-req\+)?jwt$/i.test(String(typ))) {
    throw invalid('typ of a request object must be oauth-authz-req+jwt');
  }
  if (claims.sub === client.clientId) throw invalid('a client assertion is no request object');
  // FAPI 2.0 Message Signing, 5.3.2, and the algorithms of the profile.
  if (ctx.oidc.isFapi('2.0') !== undefined) {
    const lifetime = Number(claims.exp) - Number(claims.nbf);
    if (alg === 'RS256') throw invalid('the profile of the client signs with PS256, ES256 or EdDSA');
    if (!(lifetime > 0 && lifetime <= 3600))
      throw invalid('nbf and exp must be there, an hour apart at most');
  }
  // The provider allows for clocks that differ, and would keep a pushed request for no time at all.
  if (typeof claims.exp === 'number' && claims.exp <= Date.now() / 1000)
    throw invalid('the object has ended');
  const { parameters = {} } = requestBounds(ROUTES.authorization) ?? {};
  for (const [name, most] of Object.entries(parameters)) {
    const value = claims[name];
    if (typeof value === 'string' && Buffer.byteLength(value) > most) {
      throw invalid(`${name} has more than ${most} bytes`);
    }
  }
}
