/**
 * oidc-provider as its documentation begins: records in a Map, secrets as they came, no limits, no audit trail.
 * A process of its own, as Portico is one. Prints one line of JSON: where it listens, and a sign-in's tokens.
 */
import { generateKeyPair, randomBytes } from 'node:crypto';
import { once } from 'node:events';
import http from 'node:http';
import type { AddressInfo } from 'node:net';
import { promisify } from 'node:util';
import Provider, { type Adapter, type AdapterPayload } from 'oidc-provider';

const CLIENT = { client_id: 'bench', client_secret: 'bench-secret' };

/** Keeps everything for ever, which is the least work that an adapter can do. */
class MapAdapter implements Adapter {
  static readonly records = new Map<string, AdapterPayload>();
  static readonly grants = new Map<string, string[]>();
  readonly #name: string;

  constructor(name: string) {
    this.#name = name;
  }

  #key(id: string): string {
    return `${this.#name}:${id}`;
  }

  async upsert(id: string, payload: AdapterPayload): Promise<void> {
    MapAdapter.records.set(this.#key(id), payload);
    if (payload.grantId === undefined) return;
    const keys = MapAdapter.grants.get(payload.grantId) ?? [];
    keys.push(this.#key(id));
    MapAdapter.grants.set(payload.grantId, keys);
  }

  async find(id: string): Promise<AdapterPayload | undefined> {
    return MapAdapter.records.get(this.#key(id));
  }

  async findByUid(): Promise<undefined> {
    return undefined;
  }

  async findByUserCode(): Promise<undefined> {
    return undefined;
  }

  async consume(id: string): Promise<void> {
    const record = MapAdapter.records.get(this.#key(id));
    if (record) record.consumed = Math.floor(Date.now() / 1000);
  }

  async destroy(id: string): Promise<void> {
    MapAdapter.records.delete(this.#key(id));
  }

  async revokeByGrantId(grantId: string): Promise<void> {
    for (const key of MapAdapter.grants.get(grantId) ?? []) MapAdapter.records.delete(key);
    MapAdapter.grants.delete(grantId);
  }
}

const server = http.createServer();
server.listen(0, '127.0.0.1');
await once(server, 'listening');
const issuer = `http://127.0.0.1:${(server.address() as AddressInfo).port}`;
const { privateKey } = await promisify(generateKeyPair)('ec', { namedCurve: 'P-256' });
const provider = new Provider(issuer, {
  adapter: MapAdapter,
  clients: [
    {
      ...CLIENT,
      grant_types: ['authorization_code', 'refresh_token', 'client_credentials'],
      redirect_uris: ['https://bench.test/callback'],
      id_token_signed_response_alg: 'ES256',
    },
  ],
  jwks: { keys: [{ ...privateKey.export({ format: 'jwk' }), alg: 'ES256', use: 'sig' }] },
  cookies: { keys: [randomBytes(32).toString('hex')] },
  claims: { openid: ['sub'], profile: ['name'], email: ['email'] },
  features: {
    devInteractions: { enabled: false },
    clientCredentials: { enabled: true },
    introspection: { enabled: true },
    revocation: { enabled: true },
  },
  findAccount: async (_ctx, sub) => ({
    accountId: sub,
    claims: async () => ({ sub, name: 'Mara', email: 'mara@clinic.test' }),
  }),
  ttl: { Grant: 86_400, AccessToken: 3600, RefreshToken: 86_400, ClientCredentials: 600 },
  rotateRefreshToken: true,
});
server.on('request', provider.callback());

const client = await provider.Client.find(CLIENT.client_id);
if (!client) throw new Error('The client is not there.');
const scope = 'openid profile email offline_access';
const grant = new provider.Grant({ accountId: 'mara', clientId: CLIENT.client_id });
grant.addOIDCScope(scope);
const grantId = await grant.save();
const common = { accountId: 'mara', client, grantId, gty: 'authorization_code', scope };
const access = new provider.AccessToken(common);
const refresh = new provider.RefreshToken({ ...common, authTime: Math.floor(Date.now() / 1000) });
const [accessToken, refreshToken] = await Promise.all([access.save(), refresh.save()]);
process.stdout.write(`${JSON.stringify({ issuer, ...CLIENT, accessToken, refreshToken })}\n`);
