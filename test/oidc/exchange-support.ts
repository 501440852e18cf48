/** Two APIs, an application, the backend of one API and a new module beside an old app, which exchange tokens. */
import { calculateJwkThumbprint, exportJWK, generateKeyPair, SignJWT } from 'jose';
import { TOKEN_EXCHANGE } from '../../src/model/client.ts';
import type { Json } from '../../src/model/json.ts';
import type { IssuedGrant } from '../../src/oidc/grant-contract.ts';
import { byCode, secretOf } from './api-flows.ts';
import { openWorld, post, type Reply, type World } from './support.ts';

export const RECORDS = 'https://records.test';
export const BILLING = 'https://billing.test';
export const OPAQUE = 'https://opaque.test';
export const ACCESS_TOKEN = 'urn:ietf:params:oauth:token-type:access_token';

export async function openExchangeWorld(beside?: World): Promise<World> {
  const world = await openWorld(beside && { beside });
  if (beside) return world;
  const scopes = { read: {}, write: {}, purge: { roles: ['admin'] }, secret: {} };
  await world.putApi({ id: 'records', secret: 'secret-of-records', scopes });
  await world.putApi({ id: 'billing', secret: 'secret-of-billing', scopes, lifetime: 120 });
  await world.putApi({ id: 'opaque', secret: 'secret-of-opaque', scopes, format: 'opaque' });
  const code = ['authorization_code', 'refresh_token'];
  const all = ['read', 'write', 'purge'];
  await putExchanger(world, 'app', { grant_types: code, apis: { [RECORDS]: all, [OPAQUE]: all } });
  await putExchanger(world, 'backend', {
    exchanges: [RECORDS, OPAQUE],
    apis: { [BILLING]: all, [OPAQUE]: all },
  });
  await putExchanger(world, 'module', {
    exchanges: ['visits'],
    apis: { [RECORDS]: ['read', 'purge'] },
    default_api: RECORDS,
  });
  await putExchanger(world, 'offline', {
    ...{ exchanges: ['visits'], exchanges_offline: true, apis: { [RECORDS]: ['read'] } },
    grant_types: [TOKEN_EXCHANGE, 'refresh_token'],
  });
  await world.stores.clients.put({
    ...{ clientId: 'visits-legacy', organization: 'north', allOrganizations: false, firstParty: false },
    ...{ introspects: [], revokes: [], dialect: 'visits', metadata: {} },
  });
  return world;
}

/** A confidential first-party client with the grant type. */
export function putExchanger(
  world: World,
  clientId: string,
  metadata: Record<string, Json>,
  traits: Record<string, Json> = {},
): Promise<void> {
  return world.putClient({
    ...{ clientId, secret: `${clientId}-secret`, traits: { firstParty: true, ...traits } },
    metadata: { grant_types: [TOKEN_EXCHANGE], ...metadata },
  });
}

/** The access token of a person's sign-in at `app`. */
export async function signedIn(
  world: World,
  request: Readonly<Record<string, string>> = { resource: RECORDS, scope: 'openid read write' },
  walk: Parameters<typeof byCode>[3] = {},
): Promise<{ access: string; refresh: string }> {
  const form = request.resource === undefined ? {} : { resource: request.resource };
  const { reply } = await byCode(world, 'app', request, { form, ...walk });
  if (reply.status !== 200) throw new Error(JSON.stringify(reply.body));
  return { access: String(reply.body.access_token), refresh: String(reply.body.refresh_token) };
}

interface DialectSignIn {
  readonly accountId?: string;
  /** An opaque token, or 'jwt'. */
  readonly value?: string;
  readonly lifetime?: number;
}

/** A sign-in at the dialect. */
export function signedInAtDialect(
  world: World,
  { accountId = 'nora', value = 'jwt', lifetime = 600 }: DialectSignIn = {},
): Promise<IssuedGrant> {
  return world.oidc.grants.issue({
    ...{ clientId: 'visits-legacy', accountId, organization: 'north', scope: 'visits', amr: ['pwd', 'otp'] },
    access: { value, lifetime, audience: 'https://visits.test', claims: {} },
    refresh: { value: `refresh-${crypto.randomUUID()}`, lifetime: 86_400 },
  });
}

export function exchange(
  world: World,
  clientId: string,
  form: Record<string, string>,
  headers: Record<string, string> = secretOf(clientId),
): Promise<Reply> {
  const all = { grant_type: TOKEN_EXCHANGE, subject_token_type: ACCESS_TOKEN, ...form };
  return post(world, '/token', all, headers);
}

/** Proofs of one DPoP key for the token endpoint. */
export async function dpopKey(world: World, alg: 'ES256' | 'RS256' = 'ES256') {
  const { privateKey, publicKey } = await generateKeyPair(alg);
  const jwk = await exportJWK(publicKey);
  return {
    thumbprint: await calculateJwkThumbprint(jwk),
    proof: ({ path = '/token', jti = crypto.randomUUID() } = {}) =>
      new SignJWT({ jti, htm: 'POST', htu: world.issuer + path })
        .setProtectedHeader({ typ: 'dpop+jwt', alg, jwk })
        .setIssuedAt()
        .sign(privateKey),
  };
}
