/**
 * The fast path against the provider: each request is sent twice, once as it is and once with a header that means
 * nothing and takes it the long way. Replies, audit trail and metrics must be the same.
 */
import http from 'node:http';
import { expect } from 'chai';
import { secretsFrom } from '../../src/core/crypto.ts';
import { StoreUnavailable } from '../../src/core/errors.ts';
import { createOidcRecords } from '../../src/oidc/persistence/records.ts';
import { handleOf } from '../../src/oidc/tokens/token-handle.ts';
import {
  basicAuth,
  ownApp,
  putVariants,
  recordsApi,
  service,
  strangerApi,
  type TestClient,
  webApp,
  webAppPost,
} from '../support/clients.ts';
import { freePort } from '../support/ports.ts';
import { relyingParty, signIn } from '../support/relying-party.ts';
import { startTestServer, TEST_KEY, type TestServer } from '../support/server.ts';

const MARA = { login: 'mara@clinic.test', password: 'Harbour-Lantern-Quartz-41' };
const FORM = { 'content-type': 'application/x-www-form-urlencoded' };
const JWT_API = 'https://jwt.api.test/';
const RSA_API = 'https://rsa.api.test/';
const OPAQUE_API = 'https://opaque.api.test/';
const SCOPES = ['records:read', 'records:write', 'email'];
/** Clients as `service` is, and what is otherwise in their metadata. */
const SERVICES: Readonly<Record<string, object>> = {
  'posting-service': { token_endpoint_auth_method: 'client_secret_post' },
  'default-service': { default_api: JWT_API, default_scope: 'records:read' },
  'narrow-service': { scope: 'openid profile' },
  'roaming-service': { organizations: 'all' },
  'bound-service': { dpop_bound_access_tokens: true },
  'ended-service': { client_secret_expires_at: 1 },
  'dull-service': { grant_types: ['authorization_code'], redirect_uris: ['https://dull.test/'] },
};
/** Requests beside those that are listed. */
const MUTATIONS = 2_000;

interface Request {
  readonly method: string;
  readonly path: string;
  readonly headers: Readonly<Record<string, string>>;
  readonly body?: string;
}

interface Reply {
  readonly status: number;
  /** Names as they were sent, and values, in their order. */
  readonly headers: readonly string[];
  readonly body: string;
}

describe('the fast path', function () {
  this.timeout(120_000);
  let server: TestServer;
  let internal: string;
  /** Moves between two ways only. */
  let now = new Date();
  let agent: http.Agent;
  let tokens: Record<'live' | 'refresh' | 'machine' | 'others' | 'revoked' | 'dialect' | 'idToken', string>;
  before(async () => {
    const port = await freePort();
    internal = `http://127.0.0.1:${port}`;
    const resources = [
      { identifier: JWT_API, scopes: SCOPES, format: 'jwt', open: true } as const,
      { identifier: RSA_API, scopes: SCOPES, format: 'jwt', algorithm: 'RS256', open: true } as const,
      { identifier: OPAQUE_API, scopes: SCOPES, format: 'opaque', open: true } as const,
    ];
    const config = { http: { internal: { port } }, oidc: { resources } };
    server = await startTestServer({ clock: { now: () => now }, config });
    await putVariants(server.running.stores.clients, service, SERVICES);
    agent = new http.Agent({ keepAlive: true });
    tokens = await makeTokens();
  });
  after(async () => {
    agent.destroy();
    await server.close();
  });

  const post = (path: string, body: object, headers = {}): Request => ({
    ...{ method: 'POST', path, headers: { ...FORM, ...headers } },
    body: new URLSearchParams({ ...body }).toString(),
  });
  const introspect = (token: string, client: TestClient = webApp) =>
    post('/introspect', { token }, { authorization: basicAuth(client) });
  const userinfo = (token: string): Request => ({
    ...{ method: 'GET', path: '/userinfo', headers: { authorization: `Bearer ${token}` } },
  });
  const grant = (fields: object = {}, client: TestClient = service): Request =>
    post('/token', { grant_type: 'client_credentials', ...fields }, { authorization: basicAuth(client) });
  const withoutHeader = ({
    headers: { authorization: _none, ...headers },
    ...request
  }: Request): Request => ({
    ...{ ...request, headers },
  });
  const read = (path: string): Request => ({ method: 'GET', path, headers: {} });
  const DOCUMENTS = ['/.well-known/openid-configuration', '/.well-known/oauth-authorization-server', '/jwks'];
  const common = () => [
    introspect(tokens.live),
    introspect(tokens.machine, service),
    userinfo(tokens.live),
    grant(),
    grant({ resource: JWT_API, scope: 'records:write records:read' }),
    ...DOCUMENTS.map(read),
  ];

  async function makeTokens() {
    const [web, own] = await Promise.all([relyingParty(server.issuer), relyingParty(server.issuer, ownApp)]);
    const parameters = { scope: 'openid profile email roles offline_access', prompt: 'consent' };
    const live = (await signIn(web, { ...MARA, parameters })).tokens;
    const gone = (await signIn(own, MARA)).tokens.access_token;
    await send(post('/revoke', { token: gone }, { authorization: basicAuth(ownApp) }));
    const machine = await send(
      post('/token', { grant_type: 'client_credentials' }, { authorization: basicAuth(service) }),
    );
    const dialect = await send({
      ...{ method: 'POST', path: '/api_v3/users/login' },
      headers: { 'content-type': 'application/json', 'x-accountcode': 'clinicdev' },
      body: JSON.stringify({ username: 'pat@x.test', password: 'Willow-Compass-Ember-87' }),
    });
    return {
      live: live.access_token,
      refresh: String(live.refresh_token),
      idToken: String(live.id_token),
      machine: String(JSON.parse(machine.body).access_token),
      others: (await signIn(own, MARA)).tokens.access_token,
      revoked: gone,
      dialect: String(JSON.parse(dialect.body).data.token),
    };
  }

  function send({ method, path, headers, body }: Request): Promise<Reply> {
    const { hostname, port } = new URL(server.url);
    const length = body === undefined ? {} : { 'content-length': String(Buffer.byteLength(body)) };
    return new Promise((resolve, reject) => {
      const request = http.request(
        { hostname, port, agent, method, path, headers: { ...length, ...headers } },
        async (response) => {
          const chunks: Buffer[] = [];
          for await (const chunk of response) chunks.push(chunk);
          resolve({
            status: response.statusCode ?? 0,
            headers: response.rawHeaders,
            body: Buffer.concat(chunks).toString(),
          });
        },
      );
      request.on('error', reject);
      request.end(body);
    });
  }

  /** No request of the fast path has an encoding, and the provider takes this one for none. */
  const theLongWay = (request: Request): Request => ({
    ...request,
    headers: { 'content-encoding': 'identity', ...request.headers },
  });

  const from = (address: string, request: Request): Request => ({
    ...request,
    headers: { 'x-forwarded-for': address, ...request.headers },
  });

  /** Without what is another in every reply. */
  async function comparable({ headers, body, ...reply }: Reply) {
    const names = headers.filter((_, at) => at % 2 === 0);
    const values = headers.filter((_, at) => at % 2 === 1);
    const id = values[names.indexOf('X-Request-Id')] ?? '';
    const masked = values.map((value, at) => (/^(Date|X-Request-Id)$/.test(names[at] ?? '') ? '-' : value));
    const { access_token: token, ...rest } = reply.status === 200 ? membersOf(body) : {};
    if (typeof token !== 'string') return { ...reply, names, values: masked, body: body.replaceAll(id, '-') };
    return { ...reply, names, values: masked, body: Object.entries(rest), token: await described(token) };
  }

  /** What a token is but for chance and time: what a JWT says, and what the store has of it. */
  async function described(token: string) {
    const secrets = secretsFrom(Buffer.from(TEST_KEY, 'base64'));
    const records = createOidcRecords({
      ...{ store: server.running.stores.oidcRecords, secrets },
      clock: { now: () => now },
    });
    const stored = await records.load('ClientCredentials', handleOf(token));
    if (stored === undefined) throw new Error('The token is not stored.');
    const { id: _id, payload, createdAt, expiresAt = createdAt, ...columns } = stored;
    const parts = token.split('.').slice(0, -1);
    const said = parts.map((part) => JSON.parse(Buffer.from(part, 'base64url').toString()));
    return {
      size: said.length > 0 || token.length,
      said: said.map(unchanging),
      // A second may begin between two looks at the clock.
      minutes: Math.round((Number(expiresAt) - Number(createdAt)) / 60_000),
      stored: { ...columns, payload: unchanging(payload) },
    };
  }

  const unchanging = ({ jti, iat, exp, ...rest }: Record<string, unknown>) => ({
    ...{ ...rest, jti: String(jti).length, lifetime: Number(exp) - Number(iat) },
    // The provider's clock.
    isFresh: iat === undefined || Math.abs(Number(iat) - Date.now() / 1000) < 60,
  });

  async function figures(): Promise<Record<string, number>> {
    const text = await (await fetch(`${internal}/metrics`)).text();
    const counts = text.matchAll(/^portico_http_request_seconds_count(\{.*\}) (\d+)$/gm);
    return Object.fromEntries(Array.from(counts, ([, labels, count]) => [labels, Number(count)]));
  }

  /** What requests leave behind: records of the audit trail, and how many requests of each kind were counted. */
  async function traces(work: () => Promise<void>) {
    // A refusal is a record of its own once a minute and address.
    now = new Date(now.getTime() + 2 * 60_000);
    // The log has every record of the trail, and has it before the reply.
    const records = () =>
      server.logged.flatMap(({ audit }) => (audit === undefined ? [] : [audit as object]));
    const [known, before] = [records().length, await figures()];
    await work();
    const audit = records().slice(known);
    const counts = Object.entries(await figures()).map(([labels, count]) => [
      labels,
      count - (before[labels] ?? 0),
    ]);
    return {
      audit: audit.map((record) => JSON.stringify({ ...record, at: '', requestId: '' })),
      counts: counts.filter(([, count]) => count !== 0),
    };
  }

  async function expectSame(requests: readonly Request[]): Promise<Reply[]> {
    const numbered = requests.map((request, at) => from(`198.51.${at >> 8}.${at & 255}`, request));
    const fast: Reply[] = [];
    const slow: Reply[] = [];
    const traced = {
      fast: await traces(async () => {
        for (const request of numbered) fast.push(await send(request));
      }),
      slow: await traces(async () => {
        for (const request of numbered) slow.push(await send(theLongWay(request)));
      }),
    };
    for (const [at, request] of numbered.entries()) {
      const both = [fast[at], slow[at]].map((reply) => reply && comparable(reply));
      const [one, other] = await Promise.all(both);
      expect(one, JSON.stringify(request)).to.deep.equal(other);
    }
    expect(traced.fast).to.deep.equal(traced.slow);
    return fast;
  }

  it('FP1 answers the commonest requests by itself, as the provider does', async () => {
    // The provider makes each document once, and looks after the keys every second.
    for (const path of DOCUMENTS) await send(read(path));
    const { oidc } = server.running;
    const { handle } = oidc;
    const handled: string[] = [];
    Object.assign(oidc, {
      handle: (...given: Parameters<typeof handle>) => {
        handled.push(given[0].url ?? '');
        return handle(...given);
      },
    });
    const requests = [...common(), ...ordinaryGrants()];
    await expectSame(requests);
    Object.assign(oidc, { handle });
    const made = (paths: readonly string[]) => paths.filter((path) => path !== '/jwks');
    expect(made(handled)).to.deep.equal(made(requests.map(({ path }) => path)));
  });

  it('FP2 answers what is unusual as the provider does: other tokens, clients, headers, fields, paths', async () => {
    const everyToken = [...Object.values(tokens), 'unknown', `${tokens.live}x`, '', 'jwt~x', 'a.b.c'];
    await expectSame([
      ...everyToken.flatMap((token) => [userinfo(token), introspect(token), introspect(token, recordsApi)]),
      ...[webAppPost, service, strangerApi, ownApp].map((client) => introspect(tokens.live, client)),
      ...common().flatMap((request) =>
        headerVariants().map((headers) => ({ ...request, headers: { ...request.headers, ...headers } })),
      ),
      ...bodyVariants().map((body) => ({ ...introspect(tokens.live), body })),
      ...grantVariants(),
      ...common().flatMap(({ path, ...request }) =>
        [`${path}?`, `${path}?x=1`, `${path}/`, `/${path}`, path.toUpperCase(), `${path}#x`].map((other) => ({
          ...request,
          path: other,
        })),
      ),
      ...common().flatMap((request) =>
        ['HEAD', 'GET', 'POST', 'PUT', 'OPTIONS', 'DELETE'].map((method) => ({ ...request, method })),
      ),
    ]);
  });

  it('FP4 a client that the provider refuses hears why, as on the long way', async () => {
    const { clients } = server.running.stores;
    const present = await clients.byId(ownApp.clientId);
    if (present === undefined) throw new Error('The client is not there.');
    const metadata = { ...present.metadata, tls_client_certificate_bound_access_tokens: true };
    await clients.put({ ...present, metadata });
    const replies = await expectSame([introspect(tokens.others, ownApp), userinfo(tokens.others)]);
    await clients.put(present);
    for (const { status, body } of replies) {
      expect(status).to.equal(400);
      expect(body).to.contain('invalid_client_metadata').and.contain('http.clientCertificate');
    }
  });

  const headerVariants = (): Record<string, string>[] => [
    { authorization: basicAuth({ ...webApp, secret: 'wrong' }) },
    { authorization: basicAuth({ ...webApp, clientId: 'nobody' }) },
    { authorization: basicAuth(webApp).toLowerCase() },
    { authorization: basicAuth(webApp).replace('Basic', 'basic') },
    { authorization: `${basicAuth(webApp)} ` },
    { authorization: `Basic ${Buffer.from('web-app').toString('base64')}` },
    { authorization: `Basic ${Buffer.from('web%2Dapp:Timber-Violet-Anchor-63').toString('base64')}` },
    { authorization: `bearer ${tokens.live}` },
    { authorization: `Bearer  ${tokens.live}` },
    { authorization: `DPoP ${tokens.live}` },
    { dpop: 'x' },
    { origin: 'https://app.test' },
    { origin: 'null' },
    { accept: 'text/html' },
    // Signed anew for each request where it comes first: clients/signed-and-encrypted.test.ts.
    { accept: 'application/json, application/token-introspection+jwt' },
    { 'content-type': 'application/json' },
    { 'content-type': 'application/x-www-form-urlencoded; charset=utf-8' },
    { 'content-type': 'text/plain' },
    { 'if-none-match': '*' },
    { cookie: '_session=x' },
    { 'x-forwarded-for': '198.51.100.7' },
    { 'x-forwarded-host': 'evil.test' },
    { host: 'evil.test' },
    { host: 'evil.com:x@good.com' },
    { 'x-http-method-override': 'DELETE' },
    { 'oauth-client-attestation': 'x' },
    { 'oauth-client-attestation-pop': 'x' },
  ];

  const bodyVariants = (): string[] => [
    '',
    'token=',
    'token',
    `token=${tokens.live}&`,
    `token=${tokens.live}&token=${tokens.live}`,
    `token=${tokens.live}&token_type_hint=access_token`,
    `token=${tokens.live}&token_type_hint=refresh_token`,
    `token=${tokens.live}&client_id=web-app`,
    `token=${tokens.live}&client_secret=x`,
    `token=${tokens.live}&x=1`,
    `token=%${tokens.live}`,
    `token=${encodeURIComponent(tokens.live)}%20`,
    `+token=${tokens.live}`,
    `TOKEN=${tokens.live}`,
    `token[]=${tokens.live}`,
    `{"token":"${tokens.live}"}`,
    `token=${'x'.repeat(5000)}`,
  ];

  const ordinaryGrants = (): Request[] => [
    grant({ scope: 'records:read', resource: OPAQUE_API, client_id: service.clientId }),
    withoutHeader(grant({ client_id: 'posting-service', client_secret: service.secret })),
    grant({}, { ...service, clientId: 'default-service' }),
    grant({ scope: 'email', resource: JWT_API }),
    grant({ scope: 'records:read', resource: JWT_API }, { ...service, clientId: 'narrow-service' }),
    grant({}, { ...service, clientId: 'roaming-service' }),
  ];

  /** Of the grant of a client for itself. */
  const grantVariants = (): Request[] => [
    ...[
      'records:read',
      ' records:read  records:read ',
      'email',
      'openid',
      'nothing',
      'a"b',
      'é',
      ' ',
    ].flatMap((scope) => [
      grant({ scope }),
      ...[JWT_API, OPAQUE_API].map((resource) => grant({ scope, resource })),
      grant({ scope, resource: JWT_API }, { ...service, clientId: 'narrow-service' }),
    ]),
    ...[OPAQUE_API, RSA_API, JWT_API.slice(0, -1), 'https://other.test/', 'no uri', `${JWT_API}#x`, ''].map(
      (resource) => grant({ resource }),
    ),
    ...[...Object.keys(SERVICES), ownApp.clientId, 'nobody'].flatMap((clientId) =>
      [{}, { resource: OPAQUE_API }, { resource: JWT_API }].map((fields) =>
        grant(fields, { ...service, clientId }),
      ),
    ),
    ...[service.clientId, 'posting-service', 'nobody'].flatMap((client_id) => [
      grant({ client_id }),
      ...[service.secret, 'wrong', ''].flatMap((client_secret) => [
        grant({ client_id, client_secret }),
        withoutHeader(grant({ client_id, client_secret })),
      ]),
    ]),
    ...[{ audience: JWT_API }, { x: '1' }, { client_assertion: 'x' }, { dpop_jkt: 'x' }].map((more) =>
      grant(more),
    ),
    ...[
      '',
      'grant_type',
      'grant_type=',
      'grant_type=client_credentials&',
      'grant_type=client_credentials&grant_type=client_credentials',
      'grant_type=client%5fcredentials&scope=records%3Aread&resource=https%3a%2f%2fjwt.api.test%2F',
      `grant_type=client_credentials&resource=${JWT_API}&resource=${OPAQUE_API}`,
      'grant_type=client_credentials&scope=%zz',
      'grant_type=client_credentials&__proto__=x',
      'grant_type=password&username=x&password=y',
      'grant_type=refresh_token',
      'grant_type=client_credentialsx',
    ].map((body) => ({ ...grant(), body })),
  ];

  it(`FP3 ${MUTATIONS} mutations of the commonest requests are answered alike`, async () => {
    const random = seededRandom(20261129);
    const texts = [
      '',
      ' ',
      '%00',
      '&',
      '=',
      '"',
      'é',
      '\t',
      '+',
      '%2',
      tokens.others,
      tokens.refresh,
      tokens.revoked,
    ];
    const mutated = (text: string) => {
      const at = random(text.length + 1);
      const piece = texts[random(texts.length)] ?? '';
      return text.slice(0, at) + piece + text.slice(at + random(3));
    };
    const inHeader = (text: string) => mutated(text).replace(/[^\t\x20-\x7e]/g, 'x');
    const requests = Array.from({ length: MUTATIONS }, (): Request => {
      const base = common()[random(common().length)] ?? userinfo(tokens.live);
      const { authorization = '' } = base.headers;
      const part = random(3);
      if (part === 0 && base.body !== undefined) return { ...base, body: mutated(base.body) };
      if (part < 2 && authorization !== '') {
        return { ...base, headers: { ...base.headers, authorization: inHeader(authorization) } };
      }
      const headers = headerVariants();
      return { ...base, headers: { ...base.headers, ...headers[random(headers.length)] } };
    });
    await expectSame(requests);
  });

  it('FP7 says in the same words that a store does not answer, and does not ask it again', async () => {
    const { oidcRecords: store } = server.running.stores;
    const { put, byId } = store;
    let asked = 0;
    const fail = () => {
      asked += 1;
      return Promise.reject(new StoreUnavailable('embedded'));
    };
    for (const [broken, requests, calls] of [
      [{ put: fail }, [grant(), grant({ resource: JWT_API, scope: 'records:read' })], 4],
      // To introspect, the provider looks for three kinds of token at once.
      [{ byId: fail }, [introspect(tokens.live), userinfo(tokens.live)], 1 + 3 + 2],
    ] as const) {
      asked = 0;
      Object.assign(store, broken);
      const replies = await expectSame(requests).finally(() => Object.assign(store, { put, byId }));
      expect(replies.map(({ status }) => status)).to.deep.equal([503, 503]);
      expect(asked).to.equal(calls);
    }
  });

  it('FP5 answers by what is stored now, whatever it answered a moment before', async () => {
    const { accounts } = server.running.stores;
    const own = () => [introspect(tokens.others, ownApp), userinfo(tokens.others)];
    const bodies = async () => (await expectSame(own())).map(({ body }) => body).join(' ');
    const mara = async () => {
      const account = await accounts.byId(sub);
      if (account === undefined) throw new Error('The account is not there.');
      return account;
    };
    // The server keeps a client for seconds.
    now = new Date(now.getTime() + 60_000);
    const { sub } = JSON.parse((await send(userinfo(tokens.others))).body);
    const before = await bodies();
    await accounts.update({ ...(await mara()), claims: { name: 'Mara Renamed' } });
    expect(await bodies())
      .to.contain('Mara Renamed')
      .and.contain('"active":true');
    await accounts.update({ ...(await mara()), status: 'blocked' });
    expect(await bodies())
      .to.contain('invalid_token')
      .and.contain('"active":false');
    await accounts.update({ ...(await mara()), status: 'active' });
    expect(await bodies())
      .to.contain('Mara Renamed')
      .and.not.equal(before);
    await send(post('/revoke', { token: tokens.others }, { authorization: basicAuth(ownApp) }));
    expect(await bodies())
      .to.contain('invalid_token')
      .and.contain('"active":false');
  });
});

/** Of a reply. */
function membersOf(body: string): Record<string, unknown> {
  return body.startsWith('{') ? JSON.parse(body) : {};
}

/** The same numbers at every run: below `most`, from 0. */
function seededRandom(seed: number): (most: number) => number {
  let state = seed;
  return (most) => {
    state = (Math.imul(state, 1664525) + 1013904223) >>> 0;
    return Math.floor((state / 2 ** 32) * most);
  };
}
