/** A client of the profile FAPI 2 that can do each thing wrong: assertions, proofs and requests with changes. */
import { createHash, randomUUID } from 'node:crypto';
import { exportJWK, generateKeyPair, SignJWT } from 'jose';
import type { Json } from '../../src/model/json.ts';
import { Browser, CHALLENGE, post, REDIRECT, type Reply, VERIFIER, type World } from './support.ts';

export const now = () => Math.floor(Date.now() / 1000);

export type Changes = Readonly<Record<string, string | undefined>>;
type Headers = Readonly<Record<string, string>>;

type Pushed = [changes?: Changes, form?: Changes, headers?: Headers];

export async function keyPair(alg = 'ES256') {
  const { privateKey, publicKey } = await generateKeyPair(alg, { extractable: true });
  return { alg, privateKey, jwk: { ...(await exportJWK(publicKey)), alg, kid: randomUUID() } };
}
export type KeyPair = Awaited<ReturnType<typeof keyPair>>;

export interface Signed {
  /** `undefined`: without the claim. */
  readonly claims?: Readonly<Record<string, unknown>>;
  readonly alg?: string;
  readonly key?: KeyPair;
}

export async function openFapiClient(
  world: World,
  clientId: string,
  { keys, metadata = {} }: { keys?: KeyPair; metadata?: Record<string, Json> } = {},
) {
  const own = keys ?? (await keyPair());
  const dpop = await keyPair();
  await world.putClient({
    clientId,
    traits: { firstParty: true },
    metadata: {
      profile: 'fapi2',
      token_endpoint_auth_method: 'private_key_jwt',
      ...{ grant_types: ['authorization_code', 'refresh_token'], jwks: { keys: [{ ...own.jwk }] } },
      ...metadata,
    },
  });

  async function assertion({ claims = {}, key = own, alg = key.alg }: Signed = {}): Promise<Headers> {
    const all = {
      iss: clientId,
      sub: clientId,
      aud: world.issuer,
      jti: randomUUID(),
      exp: now() + 60,
      ...claims,
    };
    const jwt = new SignJWT(all).setProtectedHeader({ alg, kid: key.jwk.kid });
    return {
      client_id: clientId,
      client_assertion: await jwt.sign(key.privateKey),
      client_assertion_type: 'urn:ietf:params:oauth:client-assertion-type:jwt-bearer',
    };
  }

  async function proof(
    path: string,
    {
      claims = {},
      key = dpop,
      alg = key.alg,
      token,
      method = 'POST',
    }: Signed & { token?: string; method?: string } = {},
  ): Promise<Headers> {
    const { kid: _kid, alg: _alg, ...jwk } = key.jwk;
    const ath = token === undefined ? {} : { ath: createHash('sha256').update(token).digest('base64url') };
    const all = { htm: method, htu: world.issuer + path, jti: randomUUID(), iat: now(), ...ath, ...claims };
    const jwt = new SignJWT(all).setProtectedHeader({ alg, typ: 'dpop+jwt', jwk });
    return { DPoP: await jwt.sign(key.privateKey) };
  }

  const request = {
    ...{ response_type: 'code', redirect_uri: REDIRECT, scope: 'openid profile', state: 'st-1' },
    ...{ code_challenge: CHALLENGE, code_challenge_method: 'S256' },
  };
  const filled = (parameters: Changes) =>
    Object.fromEntries(
      Object.entries(parameters).filter((pair): pair is [string, string] => pair[1] !== undefined),
    );

  const client = {
    clientId,
    assertion,
    proof,
    request,
    async push(...[changes = {}, form, headers = {}]: Pushed): Promise<Reply> {
      return post(
        world,
        '/par',
        filled({ ...request, ...changes, ...(form ?? (await assertion())) }),
        headers,
      );
    },
    address: (requestUri: unknown, more: Changes = {}) =>
      `/authorize?${new URLSearchParams(filled({ client_id: clientId, request_uri: String(requestUri), ...more }))}`,
    /** Where the browser ends up. */
    async signIn(...pushed: Pushed): Promise<URL> {
      const { body } = await client.push(...pushed);
      return (await new Browser(world, 'nora').open(client.address(body.request_uri))).url;
    },
    async code(...pushed: Pushed): Promise<string> {
      const url = await client.signIn(...pushed);
      const code = url.searchParams.get('code');
      if (code === null) throw new Error(`no code: ${url}`);
      return code;
    },
    async token(changes: Changes, headers?: Headers, form?: Changes): Promise<Reply> {
      const own = { redirect_uri: REDIRECT, code_verifier: VERIFIER };
      const shared = changes.grant_type === 'authorization_code' ? own : {};
      const body = filled({ ...shared, ...changes, ...(form ?? (await assertion())) });
      return post(world, '/token', body, headers ?? (await proof('/token')));
    },
    redeem: (code: string, headers?: Headers, form?: Changes) =>
      client.token({ grant_type: 'authorization_code', code }, headers, form),
    refresh: (token: unknown, headers?: Headers, form?: Changes) =>
      client.token({ grant_type: 'refresh_token', refresh_token: String(token) }, headers, form),
    async introspect(token: string, headers: Headers, form: Changes): Promise<Reply> {
      return post(world, '/introspect', filled({ token, ...form }), headers);
    },
    async userinfo(token: string, headers?: Headers): Promise<Reply> {
      const shown = headers ?? {
        authorization: `DPoP ${token}`,
        ...(await proof('/userinfo', { token, method: 'GET' })),
      };
      const reply = await fetch(`${world.url}/userinfo`, { headers: shown });
      const body: Record<string, unknown> = Object(await reply.json());
      return { status: reply.status, headers: reply.headers, body };
    },
  };
  return client;
}

export type FapiClient = Awaited<ReturnType<typeof openFapiClient>>;
