/** As certification.test.ts, for the plan "dynamic": the suite registers its clients. */
import { randomUUID } from 'node:crypto';
import { once } from 'node:events';
import { createServer } from 'node:http';
import type { AddressInfo } from 'node:net';
import { mock } from 'node:test';
import { expect } from 'chai';
import {
  type CryptoKey,
  createRemoteJWKSet,
  decodeProtectedHeader,
  exportJWK,
  generateKeyPair,
  jwtVerify,
  SignJWT,
} from 'jose';
import type { TestClient } from '../support/clients.ts';
import type { TestServer } from '../support/server.ts';
import { CALLBACK, type Parameters, type Suite, startSuite } from './suite.ts';

const ASSERTED = { token_endpoint_auth_method: 'private_key_jwt', token_endpoint_auth_signing_alg: 'RS256' };

describe('certification: dynamic', () => {
  let server: TestServer;
  let suite: Suite;
  /** What the client publishes, by path. */
  const published = new Map<string, unknown>();
  const site = createServer(({ url = '' }, response) => {
    response.setHeader('content-type', 'application/json');
    response.end(JSON.stringify(published.get(url)));
  });
  let origin: string;

  before(async () => {
    site.listen(0, '127.0.0.1');
    await once(site, 'listening');
    origin = `http://127.0.0.1:${(site.address() as AddressInfo).port}`;
    const registration = { mode: 'open', organization: 'default' } as const;
    const started = await startSuite({ oidc: { registration }, outbound: { allowPrivate: true } });
    server = started.server;
    suite = started.suites.query;
  });
  afterEach(() => mock.timers.reset());
  after(async () => {
    site.close();
    await server.close();
  });

  async function register(metadata: Record<string, unknown> = {}) {
    const grants = ['authorization_code', 'refresh_token'];
    const all = { client_name: 'Suite', redirect_uris: [CALLBACK], grant_types: grants, ...metadata };
    const reply = await fetch(`${suite.issuer}/register`, {
      method: 'POST',
      headers: { 'content-type': 'application/json' },
      body: JSON.stringify(all),
    });
    return { status: reply.status, body: Object(await reply.json()) };
  }

  async function registered(metadata: Record<string, unknown> = {}): Promise<TestClient> {
    const { status, body } = await register(metadata);
    expect(status, JSON.stringify(body)).to.equal(201);
    return { clientId: body.client_id, secret: body.client_secret, redirectUri: CALLBACK };
  }

  async function publishKey(path: string) {
    const { publicKey, privateKey } = await generateKeyPair('RS256', { extractable: true });
    const kid = randomUUID();
    published.set(path, { keys: [{ ...(await exportJWK(publicKey)), kid, use: 'sig' }] });
    return { kid, privateKey };
  }

  /** A request at the token endpoint with a client assertion. */
  async function asserted(clientId: string, key: { kid: string; privateKey: CryptoKey }, form: Parameters) {
    const claims = { iss: clientId, sub: clientId, aud: suite.issuer, jti: randomUUID() };
    const jwt = new SignJWT(claims).setProtectedHeader({ alg: 'RS256', kid: key.kid });
    const body = {
      ...{ ...form, client_id: clientId },
      client_assertion: await jwt.setIssuedAt().setExpirationTime('1m').sign(key.privateKey),
      client_assertion_type: 'urn:ietf:params:oauth:client-assertion-type:jwt-bearer',
    };
    const reply = await fetch(`${suite.issuer}/token`, { method: 'POST', body: new URLSearchParams(body) });
    return { status: reply.status, body: Object(await reply.json()) };
  }

  async function codeFor(client: TestClient) {
    const { code } = await suite.authorize({ scope: 'openid offline_access', prompt: 'consent' }, { client });
    return { grant_type: 'authorization_code', code, redirect_uri: CALLBACK };
  }

  async function isRefused(client: TestClient, redirect_uri: string | undefined): Promise<void> {
    const { page } = await suite.ask({ redirect_uri }, { client });
    expect(page?.status).to.equal(400);
  }

  it('oidcc-server: a client registers, and signs a person in', async () => {
    const { claims } = await suite.signIn({}, { client: await registered() });
    expect(claims.sub).to.be.a('string');
  });

  it('oidcc-idtoken-rs256: signs ID tokens as the client registered', async () => {
    const client = await registered({ id_token_signed_response_alg: 'RS256' });
    expect(decodeProtectedHeader((await suite.signIn({}, { client })).idToken).alg).to.equal('RS256');
  });

  it('oidcc-userinfo-rs256: signs userinfo as the client registered', async () => {
    const client = await registered({ userinfo_signed_response_alg: 'RS256' });
    const { accessToken, claims } = await suite.signIn({}, { client });
    const reply = await fetch(`${suite.issuer}/userinfo`, {
      headers: { authorization: `Bearer ${accessToken}` },
    });
    expect(reply.headers.get('content-type')).to.match(/^application\/jwt\b/);
    const keys = createRemoteJWKSet(new URL(`${suite.issuer}/jwks`));
    const checks = { issuer: suite.issuer, audience: client.clientId, algorithms: ['RS256'] };
    expect((await jwtVerify(await reply.text(), keys, checks)).payload.sub).to.equal(claims.sub);
  });

  it('oidcc-ensure-redirect-uri-in-authorization-request: a request without one gets a page', async () =>
    isRefused(await registered(), undefined));

  it('oidcc-redirect-uri-query-OK, -query-mismatch: the query is part of the address', async () => {
    const client = await registered({ redirect_uris: [`${CALLBACK}?foo=bar`] });
    const { answer } = await suite.ask({ redirect_uri: `${CALLBACK}?foo=bar` }, { client });
    expect(answer).to.include({ foo: 'bar' }).and.to.have.property('code');
    await isRefused(client, `${CALLBACK}?bar=foo`);
  });

  it('oidcc-redirect-uri-query-added: a query makes another address', async () =>
    isRefused(await registered(), `${CALLBACK}?foo=bar`));

  it('oidcc-redirect-uri-regfrag: a fragment cannot be registered', async () => {
    const { status, body } = await register({ redirect_uris: [`${CALLBACK}#fragment`] });
    expect([status, body.error]).to.deep.equal([400, 'invalid_redirect_uri']);
  });

  it('oidcc-registration-logo-uri, -policy-uri, -tos-uri: a client may have them', async () => {
    const uris = { logo_uri: 'https://suite.test/logo.png', policy_uri: 'https://suite.test/policy' };
    const client = await registered({ ...uris, tos_uri: 'https://suite.test/terms' });
    expect((await suite.signIn({}, { client })).claims.aud).to.equal(client.clientId);
  });

  it('oidcc-registration-jwks-uri, oidcc-ensure-client-assertion-with-iss-aud-succeeds', async () => {
    const key = await publishKey('/own-keys');
    const client = await registered({ ...ASSERTED, jwks_uri: `${origin}/own-keys` });
    expect((await asserted(client.clientId, key, await codeFor(client))).status).to.equal(200);
  });

  it('oidcc-refresh-token-rp-key-rotation: the client signs with a new key', async () => {
    const key = await publishKey('/rotated-keys');
    const client = await registered({ ...ASSERTED, jwks_uri: `${origin}/rotated-keys` });
    const { body } = await asserted(client.clientId, key, await codeFor(client));
    const next = await publishKey('/rotated-keys');
    // The server knows the client's keys for a minute.
    mock.timers.enable({ apis: ['Date'], now: Date.now() + 61_000 });
    const form = { grant_type: 'refresh_token', refresh_token: body.refresh_token };
    expect((await asserted(client.clientId, next, form)).status).to.equal(200);
  });

  it('oidcc-refresh-token: for its own client alone', async () => {
    const client = await registered();
    const { body } = await suite.token({ ...(await codeFor(client)) }, client);
    const form = { grant_type: 'refresh_token', refresh_token: body.refresh_token };
    expect((await suite.token(form, await registered())).body.error).to.equal('invalid_grant');
    expect((await suite.token(form, client)).status).to.equal(200);
  });
});
