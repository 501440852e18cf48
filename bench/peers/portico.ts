/** Portico as an operator runs it: audit on, handles hashed, records encrypted. Only its limits are out of the way. */
import { spawnSync } from 'node:child_process';
import { randomBytes } from 'node:crypto';
import { readFileSync, writeFileSync } from 'node:fs';
import path from 'node:path';
import { stringify } from 'yaml';
import { loadSamples } from '../../src/dialects/samples.ts';
import { freePort } from '../../test/support/ports.ts';
import { type ServerProcess, startServerProcess } from '../../test/support/server-process.ts';
import { startMongo, startRedis } from '../../test/support/servers.ts';
import { type Filling, writeFilledFile } from '../filled-file.ts';
import { fillRedis } from '../filled-redis.ts';
import { API, PEOPLE, type Processes, REDIRECT_URI, type Subject } from '../subject.ts';
import { commandsOf, DURABLE } from './bare.ts';
import { dialectCases, MAILBOXES } from './portico-cases.ts';
import { temporaryFolder } from './programs.ts';

export interface PorticoOptions {
  readonly name: string;
  /** The checkout that is started. */
  readonly root: string;
  readonly store: 'embedded' | 'redis';
  readonly workers: number;
  /** What lies in the embedded store besides; in Redis an access token of each grant. */
  readonly filling?: Filling;
}

const MANY = 1_000_000_000;
const EVERY = { limit: MANY };
const DIALECTS = {
  visitnote: { enabled: true, limits: { auth: MANY, general: MANY } },
  medisync: { enabled: true, limits: { login: '999999/1s' } },
  ...{ careportals: { enabled: true }, avycenna: { enabled: true }, vsee: { enabled: true } },
};

const STORES = {
  embedded: 'embedded store',
  redis: 'distributed store: Redis, and the stand-in of MongoDB, whose CPU does not count',
};

export async function startPortico(options: PorticoOptions): Promise<Subject> {
  const folder = temporaryFolder();
  const secret = randomBytes(24).toString('hex');
  const [stores, port] = await Promise.all([startStores(options, folder), freePort()]);
  const server = await startServerProcess({
    ...{ root: options.root, folder, port },
    seeds: [writeSeed(folder, secret)],
    environment: { NODE_ENV: 'test' },
    config: {
      ...{
        demo: false,
        store: stores.config,
        dialects: DIALECTS,
        log: { level: 'warn' },
        audit: { log: false },
      },
      http: { host: '127.0.0.1', port, trustedProxies: ['127.0.0.1'], workers: options.workers },
      keys: { encryption: randomBytes(32).toString('base64') },
      oidc: {
        idTokenAlgorithm: 'ES256',
        resources: [{ identifier: API, scopes: ['api:read'], format: 'jwt', open: true }],
      },
      strangers: { signIns: EVERY, pushedRequests: EVERY, accounts: EVERY },
      emails: { codes: EVERY, codesPerAddress: EVERY, perAddress: EVERY },
    },
  });
  return {
    ...subjectOf(server, secret, options),
    ownCases: await dialectCases(server, await loadSamples(DIALECTS)),
    processes: { server: [server.child.pid ?? 0], store: stores.processes },
    ...(stores.redisCommands && { redisCommands: stores.redisCommands }),
    async stop() {
      await server.stop();
      await stores.stop();
    },
  };
}

function subjectOf(
  { issuer }: ServerProcess,
  secret: string,
  { name, root, store, workers }: PorticoOptions,
) {
  const confidential = { id: 'confidential', secret };
  const { version } = JSON.parse(readFileSync(path.join(root, 'package.json'), 'utf8'));
  const git = spawnSync('git', ['rev-parse', '--short', 'HEAD'], { cwd: root, encoding: 'utf8' });
  const commit = git.status === 0 ? git.stdout.trim() : '';
  return {
    ...{ name, version: `${version}${commit === '' ? '' : ` (${commit})`}` },
    settings: `${STORES[store]}, ${workers} process${workers === 1 ? '' : 'es'}, opaque access tokens, ES256, argon2id m=19456 t=2 p=1`,
    endpoints: {
      discovery: `${issuer}/.well-known/openid-configuration`,
      ...{ jwks: `${issuer}/jwks`, authorization: `${issuer}/authorize`, token: `${issuer}/token` },
      ...{ introspection: `${issuer}/introspect`, userinfo: `${issuer}/userinfo` },
    },
    ...{ confidential, public: { id: 'public' }, scope: 'openid profile email' },
    machine: {
      opaque: { client: confidential },
      jwt: { client: confidential, parameters: { resource: API, scope: 'api:read' } },
    },
    warmUp: 1.5,
  };
}

interface Stores {
  readonly config: Record<string, unknown>;
  readonly processes: Processes['store'];
  readonly redisCommands?: () => Promise<number>;
  stop(): Promise<void>;
}

/** MongoDB's stand-in is none: what it takes is not counted. */
async function startStores({ store: kind, filling }: PorticoOptions, folder: string): Promise<Stores> {
  if (kind === 'embedded') {
    const file = path.join(folder, 'portico.db');
    if (filling) await writeFilledFile(file, filling);
    return { config: { kind, embedded: { file } }, processes: [], stop: async () => undefined };
  }
  const [mongo, redis] = await Promise.all([startMongo(), startRedis({ own: true, values: DURABLE })]);
  if (filling) await fillRedis(redis.url, filling.grants);
  return {
    config: { kind: 'distributed', mongo: { url: mongo.url }, redis: { url: redis.url } },
    processes: redis.child?.pid === undefined ? [] : [redis.child.pid],
    redisCommands: () => commandsOf(redis.url),
    async stop() {
      await Promise.all([mongo.stop(), redis.stop()]);
    },
  };
}

/** People who are at home at every vendor; the last of them is staff. */
function writeSeed(folder: string, secret: string): string {
  const client = {
    ...{
      organization: 'default',
      redirect_uris: [REDIRECT_URI],
      first_party: true,
      response_types: ['code'],
    },
    scope: 'openid profile email offline_access',
  };
  const grants = ['authorization_code', 'refresh_token'];
  const file = path.join(folder, 'seed.yaml');
  writeFileSync(
    file,
    stringify({
      organizations: [{ id: 'default', name: 'Clinic', vendor: { vsee: { sso: false } } }],
      accounts: [
        ...PEOPLE.map((person, index) => ({
          ...person,
          ...{
            organization: 'default',
            email_verified: true,
            given_name: 'User',
            family_name: person.username,
          },
          ...{ name: `User ${person.username}`, roles: ['therapist', 'doctor'] },
          vendor: {
            vsee: { type: index === PEOPLE.length - 1 ? 400 : 200, tos: true },
            visitnote: { subscription_status: 'active' },
          },
        })),
        ...MAILBOXES.map((email) => ({
          organization: 'default',
          email,
          email_verified: true,
          roles: ['doctor'],
        })),
      ],
      clients: [
        {
          ...client,
          client_id: 'confidential',
          client_secret: secret,
          grant_types: [...grants, 'client_credentials'],
        },
        { ...client, client_id: 'public', token_endpoint_auth_method: 'none', grant_types: grants },
      ],
    }),
  );
  return file;
}
