/**
 * oidc-provider with nothing around it, on a Redis of its own: one process, a plain adapter, ES256. It hashes no
 * secrets, limits nothing, keeps no audit trail and holds its clients in memory: the ceiling of the library, and what
 * the other figures are compared with. Run as a program, this file is the server.
 */
import { generateKeyPairSync, randomBytes } from 'node:crypto';
import { once } from 'node:events';
import { text } from 'node:stream/consumers';
import { hash, verify } from '@node-rs/argon2';
import { Redis } from 'ioredis';
import Provider, { type Adapter, type AdapterPayload } from 'oidc-provider';
import packageOfProvider from 'oidc-provider/package.json' with { type: 'json' };
import { freePort } from '../../test/support/ports.ts';
import { startRedis } from '../../test/support/servers.ts';
import { API, ARGON2, PEOPLE, REDIRECT_URI, type Subject } from '../subject.ts';
import { startProgram } from './programs.ts';

/** As durable as a store of tokens has to be: a second may be lost. */
export const DURABLE = ['--appendonly', 'yes', '--appendfsync', 'everysec'];

export async function startBare(): Promise<Subject> {
  const redis = await startRedis({ own: true, values: DURABLE });
  const issuer = `http://127.0.0.1:${await freePort()}`;
  const secret = randomBytes(24).toString('hex');
  const server = startProgram(process.execPath, [import.meta.filename, issuer, redis.url, secret], {
    env: { ...process.env, NODE_ENV: 'production' },
  });
  const discovery = `${issuer}/.well-known/openid-configuration`;
  await server.answers(discovery);
  const confidential = { id: 'confidential', secret };
  return {
    ...{ name: 'bare', version: packageOfProvider.version },
    settings:
      'oidc-provider alone, one process, Redis with an append-only file flushed every second, ioredis with automatic pipelining, opaque access tokens, ES256, argon2id m=19456 t=2 p=1',
    endpoints: {
      ...{ discovery, jwks: `${issuer}/jwks`, authorization: `${issuer}/auth`, token: `${issuer}/token` },
      ...{ introspection: `${issuer}/token/introspection`, userinfo: `${issuer}/me` },
    },
    ...{ confidential, public: { id: 'public' }, scope: 'openid profile email' },
    machine: {
      opaque: { client: confidential },
      jwt: { client: confidential, parameters: { resource: API, scope: 'api:read' } },
    },
    ownCases: {},
    processes: { server: [server.pid], store: redis.child?.pid === undefined ? [] : [redis.child.pid] },
    redisCommands: () => commandsOf(redis.url),
    warmUp: 1.5,
    async stop() {
      await server.stop();
      await redis.stop();
    },
  };
}

/** How many commands a Redis has run. */
export async function commandsOf(url: string): Promise<number> {
  const redis = new Redis(url);
  const stats = await redis.info('stats');
  await redis.quit();
  return Number(/total_commands_processed:(\d+)/.exec(stats)?.[1]);
}

const OF_GRANTS = new Set(['AccessToken', 'AuthorizationCode', 'RefreshToken']);
const USED_ONCE = new Set(['AuthorizationCode', 'RefreshToken']);

/** Records as JSON under their ids, the ids of a grant in a set, and a key beside what was consumed. */
function redisAdapter(redis: Redis) {
  return (model: string): Adapter => {
    const key = (id: string) => `${model}:${id}`;
    const used = (id: string) => `${model}:${id}:used`;
    const ofGrant = (id: string) => `${model}:grant:${id}`;
    const find = async (id: string): Promise<AdapterPayload | undefined> => {
      if (!USED_ONCE.has(model)) return parsed(await redis.get(key(id)));
      const [found, consumed] = await redis.mget(key(id), used(id));
      const record = parsed(found);
      return record && consumed ? { ...record, consumed: Number(consumed) } : record;
    };
    return {
      find,
      async upsert(id, record, seconds = 3600) {
        const writes = redis.multi().set(key(id), JSON.stringify(record), 'EX', seconds);
        if (record.uid) writes.set(`${model}:uid:${record.uid}`, id, 'EX', seconds);
        if (OF_GRANTS.has(model) && record.grantId)
          writes.sadd(ofGrant(record.grantId), id).expire(ofGrant(record.grantId), seconds);
        await writes.exec();
      },
      async findByUid(uid) {
        const id = await redis.get(`${model}:uid:${uid}`);
        return id === null ? undefined : find(id);
      },
      findByUserCode: async () => undefined,
      async consume(id) {
        const left = await redis.ttl(key(id));
        if (left > 0) await redis.set(used(id), Math.floor(Date.now() / 1000), 'EX', left);
      },
      destroy: async (id) => void (await redis.del(key(id), used(id))),
      async revokeByGrantId(grantId) {
        const ids = await redis.smembers(ofGrant(grantId));
        await redis.del(ofGrant(grantId), ...ids.flatMap((id) => [key(id), used(id)]));
      },
    };
  };
}

function parsed(text: string | null | undefined): AdapterPayload | undefined {
  return text ? JSON.parse(text) : undefined;
}

function createProvider(issuer: string, redis: Redis, secret: string): Provider {
  const { privateKey } = generateKeyPairSync('ec', { namedCurve: 'P-256' });
  const client = {
    ...{ redirect_uris: [REDIRECT_URI], response_types: ['code' as const] },
    id_token_signed_response_alg: 'ES256' as const,
  };
  const grants = ['authorization_code', 'refresh_token'];
  return new Provider(issuer, {
    adapter: redisAdapter(redis),
    jwks: { keys: [{ ...privateKey.export({ format: 'jwk' }), alg: 'ES256', use: 'sig', kid: 'bench' }] },
    cookies: { keys: [randomBytes(32).toString('hex')] },
    clients: [
      {
        ...client,
        client_id: 'confidential',
        client_secret: secret,
        grant_types: [...grants, 'client_credentials'],
      },
      { ...client, client_id: 'public', token_endpoint_auth_method: 'none', grant_types: grants },
    ],
    claims: {
      openid: ['sub'],
      profile: ['name', 'given_name', 'family_name'],
      email: ['email', 'email_verified'],
    },
    scopes: ['openid', 'profile', 'email'],
    features: {
      devInteractions: { enabled: false },
      clientCredentials: { enabled: true },
      introspection: { enabled: true },
      revocation: { enabled: true },
      resourceIndicators: {
        enabled: true,
        getResourceServerInfo: () => ({
          ...{ scope: 'api:read', audience: API, accessTokenFormat: 'jwt' as const },
          jwt: { sign: { alg: 'ES256' as const } },
        }),
      },
    },
    ttl: {
      AccessToken: 3600,
      ClientCredentials: 3600,
      Grant: 2_592_000,
      RefreshToken: 2_592_000,
      Session: 86_400,
      Interaction: 3600,
      IdToken: 3600,
    },
    rotateRefreshToken: true,
    issueRefreshToken: async (_context, asking) => asking.grantTypeAllowed('refresh_token'),
    interactions: { url: (_context, { uid }) => `/interaction/${uid}` },
    // What is asked for is granted: no server of the measurement has a consent page.
    async loadExistingGrant({ oidc: { client: asking, session, params, provider } }) {
      const existing = asking && session?.grantIdFor(asking.clientId);
      if (existing) return provider.Grant.find(existing);
      const grant = new provider.Grant({ accountId: session?.accountId, clientId: asking?.clientId });
      grant.addOIDCScope(String(params?.scope));
      await grant.save();
      return grant;
    },
    findAccount: async (_context, id) => ({
      accountId: id,
      claims: async () => ({
        ...{ sub: id, name: `User ${id}`, given_name: 'User', family_name: id },
        ...{ email: `${id}@example.test`, email_verified: true },
      }),
    }),
  });
}

/** The page that asks for the password. */
function signInPage(provider: Provider, hashes: ReadonlyMap<string, string>): void {
  provider.use(async (context, next) => {
    if (!context.path.startsWith('/interaction/')) return next();
    if (context.method === 'GET') {
      await provider.interactionDetails(context.req, context.res);
      context.type = 'html';
      context.body =
        '<!doctype html><title>Sign in</title><form method="post"><input name="username"><input name="password" type="password"><button>Sign in</button></form>';
      return;
    }
    const form = new URLSearchParams(await text(context.req));
    const accountId = form.get('username') ?? '';
    const right = await verify(hashes.get(accountId) ?? '', form.get('password') ?? '').catch(() => false);
    if (!right) return context.throw(401);
    context.respond = false;
    await provider.interactionFinished(context.req, context.res, { login: { accountId } });
  });
}

async function serve(issuer: string, redisUrl: string, secret: string): Promise<void> {
  const hashed = PEOPLE.map(
    async ({ username, password }) => [username, await hash(password, ARGON2)] as const,
  );
  const provider = createProvider(issuer, new Redis(redisUrl, { enableAutoPipelining: true }), secret);
  signInPage(provider, new Map(await Promise.all(hashed)));
  const server = provider.listen(Number(new URL(issuer).port), '127.0.0.1');
  await once(server, 'listening');
  // The measurement has ended, however it did.
  process.once('disconnect', () => process.exit());
}

if (import.meta.main) {
  const [issuer = '', redisUrl = '', secret = ''] = process.argv.slice(2);
  await serve(issuer, redisUrl, secret);
}
