/**
 * Sign-ins begun by the fast path against the provider: each authorization request goes out twice, once with a header
 * that means nothing and takes it the long way. Replies and what is stored are the same but for what is random.
 */
import http from 'node:http';
import { expect } from 'chai';
import { secretsFrom } from '../../src/core/crypto.ts';
import type { Json } from '../../src/model/json.ts';
import { createOidcRecords } from '../../src/oidc/persistence/records.ts';
import { ownApp, putVariants, spa, webApp } from '../support/clients.ts';
import { startTestServer, TEST_KEY, type TestServer } from '../support/server.ts';

const API = 'https://api.test/';
type Headers = Readonly<Record<string, string>>;
type Query = Readonly<Record<string, string | undefined>>;

/** Clients as `own-app` is, and what is otherwise in their metadata. */
const VARIANTS: Readonly<Record<string, Record<string, Json>>> = {
  'pushing-app': { require_pushed_authorization_requests: true },
  'timely-app': { require_auth_time: true },
  'aging-app': { default_max_age: 60 },
  'strong-app': { default_acr_values: ['urn:portico:acr:stepup'] },
  'narrow-app': { scope: 'openid' },
  'roaming-app': { organizations: 'all' },
  'api-app': { default_api: API },
};

describe('sign-ins begun by the fast path', function () {
  this.timeout(60_000);
  let server: TestServer;
  let now = new Date();
  before(async () => {
    const resources = [{ identifier: API, scopes: ['records:read', 'email'], open: true }];
    server = await startTestServer({
      clock: { now: () => now },
      config: { oidc: { resources }, strangers: { signIns: { limit: 3, window: 60 } } },
    });
    await putVariants(server.running.stores.clients, ownApp, VARIANTS);
  });
  after(() => server.close());

  const query = (client: { clientId: string; redirectUri: string }, other: Query = {}): string => {
    const all = {
      ...{ client_id: client.clientId, redirect_uri: client.redirectUri, response_type: 'code' },
      ...{ scope: 'openid profile email', state: 'a state & more', nonce: 'n' },
      ...{ code_challenge: 'x'.repeat(43), code_challenge_method: 'S256', ...other },
    };
    const sent = Object.entries(all).filter((each): each is [string, string] => each[1] !== undefined);
    return new URLSearchParams(sent).toString();
  };

  function send(path: string, headers: Headers) {
    const { hostname, port } = new URL(server.url);
    return new Promise<{ status: number; headers: string[]; body: string }>((resolve, reject) => {
      const request = http.request({ hostname, port, path, headers: { ...headers } }, async (response) => {
        const chunks: Buffer[] = [];
        for await (const chunk of response) chunks.push(chunk);
        const { statusCode: status = 0, rawHeaders } = response;
        resolve({ status, headers: rawHeaders, body: Buffer.concat(chunks).toString() });
      });
      request.on('error', reject).end();
    });
  }

  /** Without what is random, and with what is stored. */
  async function described(path: string, headers: Headers) {
    const reply = await send(path, headers);
    const id = reply.headers[reply.headers.indexOf('X-Request-Id') + 1] ?? '';
    const [, uid = ''] = /\/interaction\/([\w-]+)/.exec(reply.body) ?? [];
    const masked = (text: string) =>
      (uid === '' ? text : text.replaceAll(uid, 'UID'))
        .replaceAll(id, 'ID')
        .replace(/=\d+\.[\w-]{43};/, '=PROOF;')
        .replace(/\w{3}, \d\d \w{3} \d{4} [\d:]+ GMT/g, 'TIME')
        .replace(/nonce-[\w+/=-]+|nonce="[^"]+"/g, 'NONCE');
    return {
      ...{ status: reply.status, headers: reply.headers.map(masked), body: masked(reply.body) },
      uid: uid.length,
      stored: uid === '' ? undefined : await stored(uid),
    };
  }

  async function stored(uid: string) {
    const { oidcRecords: store } = server.running.stores;
    const secrets = secretsFrom(Buffer.from(TEST_KEY, 'base64'));
    const record = await createOidcRecords({ store, secrets, clock: { now: () => now } }).load(
      'Interaction',
      uid,
    );
    if (record === undefined) throw new Error('The interaction is not stored.');
    const { id: _id, createdAt, expiresAt = createdAt, payload, ...columns } = record;
    const { iat, exp, cid, jti, returnTo, ...rest } = payload;
    return {
      ...{ columns, rest, minutes: Math.round((Number(expiresAt) - Number(createdAt)) / 60_000) },
      ...{ seconds: Number(exp) - Number(iat), cid: String(cid).length, own: jti === uid },
      fresh: Math.abs(Number(iat) - Date.now() / 1000) < 60,
      returnTo: String(returnTo).replace(uid, 'UID'),
    };
  }

  let sent = 0;
  async function expectSame(path: string, headers: Headers = {}) {
    sent += 1;
    // A budget of its own for each.
    const from = (way: number): Headers => ({
      'x-forwarded-for': `198.${way}.${sent >> 8}.${sent & 255}`,
      ...headers,
    });
    const fast = await described(path, from(51));
    const long = await described(path, { ...from(52), 'content-encoding': 'identity' });
    expect(fast, `${path} ${JSON.stringify(headers)}`).to.deep.equal(long);
    return fast;
  }

  it('FP9 answers an ordinary request as the provider does, without it', async () => {
    const { oidc } = server.running;
    const { handle } = oidc;
    for (const client of [spa, ownApp, webApp, { ...ownApp, clientId: 'timely-app' }]) {
      let handled = 0;
      Object.assign(oidc, {
        handle: (...given: Parameters<typeof handle>) => {
          handled += 1;
          return handle(...given);
        },
      });
      const { status } = await expectSame(`/authorize?${query(client)}`);
      Object.assign(oidc, { handle });
      const isAsked = client.clientId === 'timely-app';
      expect({ status, handled }, client.clientId).to.deep.equal({ status: 303, handled: isAsked ? 2 : 1 });
    }
  });

  it('FP9 answers what is unusual as the provider does: parameters, clients, headers, paths', async () => {
    const values = [undefined, '', ' ', 'x', 'é', '\t', 'openid', 'x'.repeat(44), 'https://elsewhere.test/'];
    for (const name of new URLSearchParams(query(spa)).keys())
      for (const value of values) await expectSame(`/authorize?${query(spa, { [name]: value })}`);
    const more: Query[] = [
      ...['login', 'none', 'consent'].map((prompt) => ({ prompt })),
      ...[
        'openid offline_access',
        'openid openid',
        'openid  email',
        'email',
        'openid x',
        'openid records:read',
      ].map((scope) => ({ scope })),
      ...[
        { login_hint: 'x' },
        { ui_locales: 'de' },
        { max_age: '0' },
        { acr_values: 'x' },
        { resource: API },
      ],
      ...[{ audience: API }, { claims: '{}' }, { organization: 'default' }, { response_mode: 'form_post' }],
      ...[
        { request: 'x' },
        { request_uri: 'x' },
        { dpop_jkt: 'x' },
        { code_challenge_method: 'plain' },
        { x: '1' },
      ],
    ];
    for (const other of more) await expectSame(`/authorize?${query(spa, other)}`);
    for (const clientId of Object.keys(VARIANTS))
      for (const scope of ['openid', 'openid email'])
        await expectSame(`/authorize?${query({ ...ownApp, clientId }, { scope })}`);
    const headers: Headers[] = [
      ...['text/html', 'text/html;q=0', 'application/json', '*/*', 'text/plain'].map((accept) => ({
        accept,
      })),
      ...['portico_session=x', 'portico_sign_in_x=1.x', 'other=1'].map((cookie) => ({ cookie })),
      ...[
        { origin: 'https://app.test' },
        { dpop: 'x' },
        { host: 'evil.com:x@good.com' },
        { host: 'elsewhere.test' },
        { 'x-forwarded-host': 'elsewhere.test', 'x-forwarded-proto': 'https' },
        { 'content-type': 'x' },
      ],
    ];
    for (const other of headers) await expectSame(`/authorize?${query(spa)}`, other);
    const text = query(spa);
    for (const path of [
      `/authorize?${text}&${text}`,
      `/authorize?${text}#x`,
      `/authorize/?${text}`,
      '/authorize?',
    ])
      await expectSame(path);
    for (const [name, most] of [
      ['state', 3000],
      ['nonce', 600],
    ] as const)
      await expectSame(`/authorize?${query(spa, { [name]: 'x'.repeat(most) })}`);
    await expectSame(`/authorize?${text}${'&'.repeat(300)}`);
  });

  it('FP9 counts against the budget of the client address, as the provider’s step does', async () => {
    const path = `/authorize?${query(spa)}`;
    const statuses = async (headers: Headers) => {
      const seen: number[] = [];
      for (let turn = 0; turn < 5; turn += 1) seen.push((await send(path, headers)).status);
      return seen;
    };
    const fast = await statuses({ 'x-forwarded-for': '203.0.113.1' });
    expect(fast).to.deep.equal([303, 303, 303, 429, 429]);
    expect(
      await statuses({ 'x-forwarded-for': '203.0.113.2', 'content-encoding': 'identity' }),
    ).to.deep.equal(fast);
    // What was not stored does not count.
    const { oidcRecords: store } = server.running.stores;
    const { put } = store;
    Object.assign(store, { put: () => Promise.reject(new Error('down')) });
    now = new Date(now.getTime() + 1);
    const headers = { 'x-forwarded-for': '203.0.113.3' };
    for (let turn = 0; turn < 4; turn += 1) expect((await send(path, headers)).status).to.be.within(500, 503);
    Object.assign(store, { put });
    expect((await send(path, headers)).status).to.equal(303);
  });
});
