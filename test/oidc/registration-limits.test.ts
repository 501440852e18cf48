/** What clients that register themselves cannot do: be more than they may, make the server call out, fill the store. */
import { existsSync, readFileSync } from 'node:fs';
import { createServer, type Server } from 'node:http';
import type { AddressInfo } from 'node:net';
import path from 'node:path';
import { DatabaseSync } from 'node:sqlite';
import { setImmediate as nextTurn } from 'node:timers/promises';
import { expect } from 'chai';
import { exportJWK, generateKeyPair, SignJWT } from 'jose';
import type { ConfigInput } from '../../src/config/schema.ts';
import { commandsIn, readPage, terminalBeside } from '../cli/page-commands.ts';
import { openTerminal } from '../cli/run-portico.ts';
import { INES } from '../support/client-app.ts';
import { basicAuth } from '../support/clients.ts';
import { relyingParty, signIn } from '../support/relying-party.ts';
import { type DeepPartial, startTestServer, type TestServer } from '../support/server.ts';

const CALLBACK = 'https://app.example/callback';
const APP = { redirect_uris: [CALLBACK] };
const WEB = { ...APP, client_name: 'Reading list' };
const LONG = 'a'.repeat(3000);
const NATIVE = { application_type: 'native' };

/** Registrations that must not be taken. A text is the whole body. */
const HOSTILE: readonly (string | object)[] = [
  ...['', '[]', 'null', '"text"', '7', 'true', '{', '{"a":1}x', '\u0000', '[[[[[[[[['],
  `{"redirect_uris":["${CALLBACK}"],"redirect_uris":["https://evil.example/"]}`,
  `{"redirect_uris":["${CALLBACK}"],"jwks":{"keys":[],"keys":[]}}`,
  `{"redirect_uris":["${CALLBACK}"],"client_name":"${'x'.repeat(20_000)}"}`,
  {},
  { redirect_uris: [] },
  { redirect_uris: CALLBACK },
  { redirect_uris: { 0: CALLBACK, length: 1 } },
  { redirect_uris: [[CALLBACK]] },
  { redirect_uris: [null] },
  { redirect_uris: [7] },
  { redirect_uris: Array.from({ length: 21 }, (_, i) => `${CALLBACK}/${i}`) },
  ...[
    ...['javascript:alert(1)', 'JaVaScRiPt:alert(1)', 'data:text/html,x', 'vbscript:x', 'file:///etc/passwd'],
    ...[
      'blob:https://app.example/x',
      'about:blank',
      'ws://app.example/',
      'intent://x#Intent;end',
      'mailto:a@b.c',
    ],
  ].map((uri) => ({ ...NATIVE, redirect_uris: [uri] })),
  ...[
    ...[
      'http://app.example/callback',
      'https://*.example/callback',
      'https://app.example/*',
      `${CALLBACK}#x`,
    ],
    ...[
      `${CALLBACK}#`,
      'https://app.example@evil.example/',
      'https:app.example/x',
      'https:\\\\app.example\\x',
    ],
    ...[
      'https://аpp.example/callback',
      'https://app.example/a b',
      ' https://app.example/',
      '//app.example/',
      '/x',
    ],
    ...[
      '',
      `https://app.example/${LONG}`,
      'https://app.example/\r\nSet-Cookie: a=1',
      'http://127.0.0.1.evil.example/',
    ],
  ].map((uri) => ({ redirect_uris: [uri] })),
  { ...APP, post_logout_redirect_uris: ['javascript:alert(1)'] },
  { ...APP, response_types: ['token'] },
  { ...APP, response_types: ['id_token'], grant_types: ['implicit'] },
  { ...APP, response_types: ['code id_token'] },
  { ...APP, grant_types: ['client_credentials'] },
  { ...APP, grant_types: ['password'] },
  { ...APP, grant_types: ['urn:ietf:params:oauth:grant-type:token-exchange'] },
  { ...APP, grant_types: 'authorization_code' },
  { ...APP, id_token_signed_response_alg: 'none' },
  { ...APP, id_token_signed_response_alg: 'HS256' },
  { ...APP, token_endpoint_auth_method: 'client_secret_jwt' },
  { ...APP, token_endpoint_auth_method: 'tls_client_auth', tls_client_auth_subject_dn: 'CN=x' },
  { ...APP, token_endpoint_auth_method: 'private_key_jwt' },
  { ...APP, token_endpoint_auth_method: 'private_key_jwt', jwks: { keys: [{ kty: 'oct', k: 'AA' }] } },
  { ...APP, jwks: { keys: 'x' } },
  { ...APP, jwks: { keys: [{ kty: 'EC', deep: [['x']] }] } },
  `{"redirect_uris":["${CALLBACK}"],"jwks":{"keys":[{"kty":"EC","deep":${'['.repeat(7000)}${']'.repeat(7000)}}]}}`,
  { ...APP, jwks: { keys: Array.from({ length: 21 }, () => ({ kty: 'EC' })) } },
  { ...APP, jwks: { keys: [] }, jwks_uri: 'https://app.example/jwks' },
  { ...APP, software_statement: 'eyJhbGciOiJub25lIn0.e30.' },
  ...[
    ...[
      'Portico\u0000',
      'Bank\u202eknaB',
      'Ba\u200bnk',
      'Bаnk',
      'Ba\u2028nk',
      'x'.repeat(101),
      '',
      '\u3164',
      '\ud800',
    ],
    `e${'\u0301'.repeat(50)}`,
  ].map((name) => ({ ...APP, client_name: name })),
  ...[7, ['a'], { $ne: null }, true].map((name) => ({ ...APP, client_name: name })),
  ...['client_uri', 'logo_uri', 'policy_uri', 'tos_uri', 'jwks_uri', 'initiate_login_uri'].map((name) => ({
    ...{ ...APP, [name]: 'javascript:alert(1)' },
  })),
  { ...APP, logo_uri: 'https://user:secret@app.example/logo.png' },
  { ...APP, logo_uri: `https://app.example/${LONG}` },
  { ...APP, logo_uri: ['https://app.example/logo.png'] },
  { ...APP, contacts: ['no address'] },
  { ...APP, contacts: Array.from({ length: 21 }, () => 'a@app.example') },
  { ...APP, default_max_age: -1 },
  { ...APP, default_max_age: '60' },
  { ...APP, default_max_age: 1e308 },
  { ...APP, require_auth_time: 'yes' },
  { ...APP, subject_type: 'other' },
  { ...APP, application_type: 'other' },
  { ...APP, scope: ['openid'] },
  { ...APP, default_acr_values: ['other'] },
];

/** Taken, and nothing of it: a client does not get what only an operator gives. */
const PRESUMPTUOUS = {
  ...{ ...APP, client_id: 'web-app', client_secret: 'of-my-own-choice', client_secret_expires_at: 1 },
  ...{ first_party: true, firstParty: true, organization: 'clinicdev', organizations: 'all' },
  ...{ all_organizations: true, introspects: ['web-app'], revokes: ['web-app'], dialect: 'vsee', api: 'x' },
  ...{ apis: { 'https://api.test': ['read'] }, default_api: 'https://api.test', id_token_claims: true },
  ...{ claims: { admin: 'roles' }, allowed_origins: ['https://evil.example'], default_scope: 'roles' },
  ...{ old_secret: { hash: 'x', until: '2099-01-01' }, registration: true, sign_in: 'name-first' },
  ...{ branding: { name: 'Portico' }, profile: 'fapi2', registered: false, unregistered: false },
  ...{
    exchanges: [],
    rotate_refresh_tokens: false,
    response_modes: ['fragment'],
    scope: 'openid roles phone',
  },
};

const CONFIG: DeepPartial<ConfigInput> = {
  oidc: {
    registration: { mode: 'open', organization: 'default' },
    resources: [{ identifier: 'https://api.test', scopes: ['read'], open: true }],
  },
  strangers: { registrations: { limit: 10_000 } },
};

const post = (server: TestServer, body: unknown, headers: Record<string, string> = {}) =>
  fetch(`${server.issuer}/register`, {
    method: 'POST',
    headers: { 'content-type': 'application/json', ...headers },
    body: typeof body === 'string' ? body : JSON.stringify(body),
  });

/** Rows of every table but those of counters and the audit trail. */
function rowsOf(server: TestServer): number {
  const database = new DatabaseSync(path.join(server.folder, 'portico.db'), { readOnly: true });
  const tables = ['clients', 'oidc_records', 'leases'];
  const count = (table: string) => Number(database.prepare(`SELECT count(*) AS n FROM ${table}`).get()?.n);
  const sum = tables.reduce((total, table) => total + count(table), 0);
  database.close();
  return sum;
}

const registeredAt = async ({ running }: TestServer) =>
  (await running.stores.clients.list()).filter(({ registered }) => registered !== undefined);

async function assertionOf(
  id: string,
  key: Parameters<SignJWT['sign']>[0],
  { issuer, lifetime = '1m' }: { issuer: string; lifetime?: string },
): Promise<string> {
  return new SignJWT({ jti: crypto.randomUUID() })
    .setProtectedHeader({ alg: 'ES256' })
    .setIssuer(id)
    .setSubject(id)
    .setAudience(issuer)
    .setIssuedAt()
    .setExpirationTime(lifetime)
    .sign(key);
}

function redeem(
  server: TestServer,
  assertion: string,
  headers: Record<string, string> = {},
): Promise<Response> {
  return fetch(`${server.issuer}/token`, {
    method: 'POST',
    headers,
    body: new URLSearchParams({
      ...{ grant_type: 'authorization_code', code: 'x', redirect_uri: CALLBACK, client_assertion: assertion },
      client_assertion_type: 'urn:ietf:params:oauth:client-assertion-type:jwt-bearer',
    }),
  });
}

describe('clients that register themselves: their limits', () => {
  let server: TestServer;
  before(async () => {
    server = await startTestServer({ config: CONFIG });
  });
  after(() => server.close());

  it('REG4 hostile registrations are refused in the words of RFC 7591, and nothing is stored', async () => {
    expect(HOSTILE.length).to.be.greaterThan(60);
    const before = rowsOf(server);
    for (const body of HOSTILE) {
      const reply = await post(server, body);
      const text = await reply.text();
      const shown = `${JSON.stringify(body).slice(0, 100)}: ${text}`;
      expect(reply.status, shown).to.be.oneOf([400, 413]);
      expect(JSON.parse(text).error, shown).to.match(
        /^(?:invalid_client_metadata|invalid_redirect_uri|unapproved_software_statement)$/,
      );
      expect(text.length, shown).to.be.lessThan(600);
    }
    for (const type of [
      'text/plain',
      'application/x-www-form-urlencoded',
      'multipart/form-data; boundary=x',
    ]) {
      expect((await post(server, WEB, { 'content-type': type })).status).to.equal(400);
    }
    expect(await registeredAt(server)).to.deep.equal([]);
    expect(rowsOf(server)).to.equal(before);
  });

  it('REG4 a registration gives nothing that only an operator gives', async () => {
    const body = JSON.stringify(PRESUMPTUOUS).replace(
      '{',
      '{"__proto__":{"first_party":true},"constructor":{},',
    );
    const reply = await post(server, body);
    expect(reply.status).to.equal(201);
    const shown = (await reply.json()) as Record<string, unknown>;
    const client = await server.running.stores.clients.byId(String(shown.client_id));
    expect(client).to.deep.include({
      ...{
        organization: 'default',
        allOrganizations: false,
        firstParty: false,
        introspects: [],
        revokes: [],
      },
    });
    expect(client).to.have.all.keys([
      ...['clientId', 'organization', 'allOrganizations', 'firstParty', 'introspects', 'revokes'],
      ...['secretHash', 'registered', 'metadata'],
    ]);
    expect(client?.metadata).to.include({ scope: 'openid' }).and.to.deep.include({ apis: {} });
    expect(client?.metadata).not.to.have.any.keys(
      ...['organizations', 'default_api', 'id_token_claims', 'claims', 'allowed_origins', 'default_scope'],
      ...[
        'registration',
        'sign_in',
        'branding',
        'profile',
        'exchanges',
        'rotate_refresh_tokens',
        'client_secret',
      ],
    );
    expect(shown.client_id).not.to.equal('web-app');
    expect(shown.client_secret).to.be.a('string').and.not.equal('of-my-own-choice');
    const files = ['portico.db', 'portico.db-wal'].map((name) => path.join(server.folder, name));
    const bytes = files.filter((file) => existsSync(file)).map((file) => readFileSync(file, 'latin1'));
    const dump = `${bytes.join('')}${server.logText()}`;
    for (const secret of [shown.client_secret, shown.registration_access_token]) {
      expect(dump.includes(String(secret)), 'a secret lies in the store or the log').to.equal(false);
    }
  });

  it('REG4 an API that is open to every client of the operator is not open to these', async () => {
    const { client_id: id } = (await (await post(server, WEB)).json()) as { client_id: string };
    const query = new URLSearchParams({
      ...{ client_id: id, response_type: 'code', redirect_uri: CALLBACK, scope: 'openid read' },
      resource: 'https://api.test',
    });
    const reply = await fetch(`${server.issuer}/authorize?${query}`, { redirect: 'manual' });
    expect(reply.status).to.equal(400);
    expect(await reply.text()).to.contain('invalid_target');
  });

  it('REG12 the server redirects no person to such a client before they have signed in', async () => {
    const leaving = { ...WEB, post_logout_redirect_uris: ['https://app.example/bye'] };
    const { client_id: id } = (await (await post(server, leaving)).json()) as { client_id: string };
    const ask = (more: Record<string, string>) => {
      const plain = { client_id: id, response_type: 'code', redirect_uri: CALLBACK, scope: 'openid' };
      const query = new URLSearchParams({ ...plain, ...more });
      return fetch(`${server.issuer}/authorize?${query}`, { redirect: 'manual' });
    };
    const parts = [{ scope: 'x' }, { response_type: 'token' }, { scope: 'phone' }, { claims: '{' }];
    for (const part of parts) {
      for (const mode of [{}, { response_mode: 'form_post' }]) {
        const reply = await ask({ ...part, ...mode });
        expect(reply.status, JSON.stringify(part)).to.equal(400);
        expect(reply.headers.get('location')).to.equal(null);
        expect(await reply.text()).not.to.contain('app.example');
      }
    }
    expect((await ask({ prompt: 'none' })).headers.get('location')).to.contain('error=login_required');
    const bye = new URLSearchParams({ client_id: id, post_logout_redirect_uri: 'https://app.example/bye' });
    const out = await fetch(`${server.issuer}/logout?${bye}`, { redirect: 'manual' });
    expect(out.headers.get('location'))
      .to.match(/^\S+\/logout\/success/)
      .and.not.contain('app.example');
  });

  it('REG4 every registration is in the audit trail with its address', async () => {
    await post(server, WEB, { 'x-forwarded-for': '198.51.100.77' });
    await post(server, { ...WEB, software_statement: 'x' }, { 'x-forwarded-for': '198.51.100.78' });
    const audits = server.logged.flatMap(({ audit }) => (audit === undefined ? [] : [audit]));
    const of = (address: string) => audits.find((audit) => Reflect.get(Object(audit), 'address') === address);
    expect(of('198.51.100.77')).to.include({ event: 'client.register', outcome: 'success' });
  });

  describe('calling out', () => {
    let hits = 0;
    let trap: Server;
    let at: string;
    before(async () => {
      trap = createServer((_request, response) => response.end('{"keys":[]}'));
      trap.on('connection', () => {
        hits += 1;
      });
      await new Promise<void>((resolve) => trap.listen(0, resolve));
      at = String((trap.address() as AddressInfo).port);
    });
    after(() => {
      trap.closeAllConnections();
      trap.close();
    });

    it('REG5 no URL of a registration makes the server reach a private address', async () => {
      const keys = await generateKeyPair('ES256');
      const hosts = [
        ...[`127.0.0.1:${at}`, `localhost:${at}`, `[::1]:${at}`, `[::ffff:127.0.0.1]:${at}`, `0.0.0.0:${at}`],
        ...[`2130706433:${at}`, `0x7f.1:${at}`, `127.1:${at}`],
        ...['169.254.169.254', '10.0.0.1', '192.168.1.1', '172.16.0.1', '100.64.0.1', '[fd00::1]'],
      ];
      const called = ['jwks_uri', 'sector_identifier_uri', 'backchannel_logout_uri'];
      const shown = ['logo_uri', 'client_uri', 'policy_uri', 'tos_uri', 'initiate_login_uri'];
      const urls = hosts.flatMap((host, i) =>
        [...called, ...(i < 3 ? shown : [])].flatMap((member) =>
          ['https', 'http'].map((scheme) => ({ member, url: `${scheme}://${host}/x` })),
        ),
      );
      for (const { member, url } of urls) {
        const keyed = member === 'jwks_uri' && { token_endpoint_auth_method: 'private_key_jwt' };
        const reply = await post(server, { ...WEB, ...keyed, [member]: url });
        expect(reply.status).to.be.oneOf([201, 400]);
        if (reply.status !== 201) continue;
        const { client_id: id } = (await reply.json()) as { client_id: string };
        if (keyed) expect((await authenticated(id, keys.privateKey)).status).to.be.oneOf([400, 401]);
        const query = new URLSearchParams({ client_id: id, response_type: 'code', scope: 'openid' });
        await fetch(`${server.issuer}/authorize?${query}&redirect_uri=${encodeURIComponent(CALLBACK)}`);
      }
      expect(hits).to.equal(0);
    });

    it('REG5 and no redirect leads it on', async () => {
      const open = await startTestServer({ config: { ...CONFIG, outbound: { allowPrivate: true } } });
      const bounce = createServer((_request, response) =>
        response.writeHead(302, { location: `http://127.0.0.1:${at}/jwks` }).end(),
      );
      await new Promise<void>((resolve) => bounce.listen(0, resolve));
      const { port } = bounce.address() as AddressInfo;
      const before = hits;
      const sector = {
        ...WEB,
        subject_type: 'pairwise',
        sector_identifier_uri: `http://127.0.0.1:${port}/s`,
      };
      expect((await post(open, sector)).status).to.equal(400);
      const keyed = { token_endpoint_auth_method: 'private_key_jwt', jwks_uri: `http://127.0.0.1:${port}/k` };
      const made = (await (await post(open, { ...WEB, ...keyed })).json()) as { client_id: string };
      const keys = await generateKeyPair('ES256');
      expect((await authenticated(made.client_id, keys.privateKey, open)).status).to.be.oneOf([400, 401]);
      expect(hits).to.equal(before);
      bounce.close();
      await open.close();
    });

    async function authenticated(id: string, key: Parameters<SignJWT['sign']>[0], at = server) {
      return redeem(at, await assertionOf(id, key, { issuer: at.issuer }));
    }
  });

  it('REG13 a client that anyone may have made proves nothing by authenticating: its address has a budget', async () => {
    const few = await startTestServer({
      config: { ...CONFIG, strangers: { registrations: { limit: 100 }, pushedRequests: { limit: 4 } } },
    });
    const made = (await (await post(few, WEB)).json()) as { client_id: string; client_secret: string };
    const push = async () => {
      const basic = Buffer.from(`${made.client_id}:${made.client_secret}`).toString('base64');
      const asked = { response_type: 'code', redirect_uri: CALLBACK, scope: 'openid' };
      return fetch(`${few.issuer}/par`, {
        method: 'POST',
        headers: { authorization: `Basic ${basic}` },
        body: new URLSearchParams({ ...asked, client_id: made.client_id }),
      });
    };
    for (let i = 0; i < 4; i += 1) {
      const reply = await push();
      expect(reply.status, await reply.text()).to.equal(201);
    }
    expect((await push()).status).to.equal(429);

    const { publicKey, privateKey } = await generateKeyPair('ES256');
    const keyed = {
      token_endpoint_auth_method: 'private_key_jwt',
      jwks: { keys: [await exportJWK(publicKey)] },
    };
    const other = (await (await post(few, { ...WEB, ...keyed })).json()) as { client_id: string };
    const call = async (lifetime: string, headers: Record<string, string>) => {
      const assertion = await assertionOf(other.client_id, privateKey, { issuer: few.issuer, lifetime });
      const reply = await redeem(few, assertion, headers);
      return { status: reply.status, ...((await reply.json()) as { error: string }) };
    };
    const elsewhere = { 'x-forwarded-for': '198.51.100.9' };
    expect(await call('2h', elsewhere)).to.include({ status: 401, error: 'invalid_client' });
    for (let i = 0; i < 4; i += 1) {
      expect(await call('1m', elsewhere)).to.include({ error: 'invalid_grant' });
    }
    expect(await call('1m', elsewhere)).to.include({ status: 429, error: 'temporarily_unavailable' });
    await few.close();
  });

  it('REG6 nothing grows: one address has a budget, all together a cap, and a deleted client makes room', async () => {
    const flooded = await startTestServer({
      config: {
        ...{ oidc: { registration: { mode: 'open', organization: 'default', most: 15 } } },
        ...{ strangers: { registrations: { limit: 10 } }, audit: { log: false } },
      },
    });
    const statuses = async (count: number, address: (i: number) => string) => {
      const replies = await Promise.all(
        Array.from({ length: count }, (_, i) => post(flooded, WEB, { 'x-forwarded-for': address(i) })),
      );
      return replies.map(({ status }) => status);
    };
    const created = (all: number[]) => all.filter((status) => status === 201).length;
    const one = await statuses(100, () => '198.51.100.1');
    expect(created(one)).to.equal(10);
    expect(new Set(one)).to.deep.equal(new Set([201, 429]));
    const before = rowsOf(flooded);
    const many = await statuses(100, (i) => `203.0.113.${i}`);
    expect(created(many)).to.equal(5);
    expect(new Set(many)).to.deep.equal(new Set([201, 429]));
    expect(await registeredAt(flooded)).to.have.length(15);
    // A client, the record of its use, its access token, and one lease of all.
    expect(rowsOf(flooded) - before).to.be.at.most(16);
    const [first] = await registeredAt(flooded);
    await flooded.running.oidc.registrations.endClient(first?.clientId ?? '');
    // For a second the server does not look again.
    const deadline = performance.now() + 5000;
    let again = 429;
    while (again === 429 && performance.now() < deadline)
      [again = 0] = await statuses(1, () => '203.0.113.250');
    expect(again).to.equal(201);
    await flooded.close();
  });

  it('REG7 a client that nothing uses ends, with all that hangs on it; one that is used stays', async () => {
    let ahead = 0;
    const clock = { now: () => new Date(Date.now() + ahead) };
    const day = 86_400_000;
    const oidc = { ...CONFIG.oidc, lifetimes: { refreshToken: '200d', grant: '365d' } };
    const aging = await startTestServer({ config: { ...CONFIG, oidc }, clock });
    const make = async () => {
      const refreshing = { ...WEB, grant_types: ['authorization_code', 'refresh_token'] };
      const made = (await (await post(aging, refreshing)).json()) as Record<string, string>;
      const { client_id: clientId = '', client_secret: secret = '' } = made;
      return { ...made, clientId, secret, redirectUri: CALLBACK };
    };
    const [idle, used] = [await make(), await make()];
    const sweep = () => aging.running.oidc.registrations.endUnused();
    ahead = 80 * day;
    expect(await sweep()).to.equal(0);
    const { tokens } = await signIn(await relyingParty(aging.issuer, used), INES);
    ahead = 95 * day;
    expect(await sweep()).to.equal(1);
    const left = async () => (await registeredAt(aging)).map(({ clientId }) => clientId);
    expect(await left())
      .to.deep.equal([used.clientId])
      .and.not.include(idle.clientId);
    // Its person does not sign in again: a refresh is a use, on the fast path as on the provider's.
    let token = String(tokens.refresh_token);
    for (const way of [{}, { 'content-encoding': 'identity' }]) {
      ahead += 40 * day;
      const refreshed = await fetch(`${aging.issuer}/token`, {
        ...{ method: 'POST', headers: { authorization: basicAuth(used), ...way } },
        body: new URLSearchParams({ grant_type: 'refresh_token', refresh_token: token }),
      });
      expect(refreshed.status).to.equal(200);
      token = ((await refreshed.json()) as Record<string, string>).refresh_token ?? '';
      ahead += 40 * day;
      expect(await sweep(), JSON.stringify(way)).to.equal(0);
    }
    await aging.close();
  });

  it('REG8 with a token of the operator alone: its uses, its organization, its limits, its end', async () => {
    const config: DeepPartial<ConfigInput> = {
      oidc: { registration: { mode: 'token', organization: 'default' } },
    };
    let closed = await startTestServer({ config });
    const { issuer, store, keys } = closed.config;
    const terminal = openTerminal({ issuer, store, keys: { encryption: keys.encryption }, ...config });
    const run = async (...words: string[]) => {
      const { code, stdout, stderr } = await terminal.session(['client', 'registration-token', ...words]);
      expect(code, stderr).to.equal(0);
      return stdout;
    };
    const limits = [
      '--scope',
      'openid',
      '--api',
      'https://api.test=read write',
      '--redirect-host',
      'app.example',
    ];
    const create = ['create', '--organization', 'default', '--json'];
    const made = JSON.parse(await run(...create, '--uses', '2', '--name', 'builds', ...limits));
    const bearer = (token: string) => ({ authorization: `Bearer ${token}` });
    expect((await post(closed, WEB)).status).to.equal(401);
    const wrong = await post(closed, WEB, bearer('prt_wrong'));
    expect(wrong.status).to.equal(401);
    expect(wrong.headers.get('www-authenticate')).to.contain('error="invalid_token"');
    // An application on a device answers a scheme of its own, whatever host is written behind it.
    for (const uri of ['https://evil.example/', 'evil://app.example/', 'com.evil:/app.example']) {
      const elsewhere = { ...WEB, redirect_uris: [uri] };
      expect((await post(closed, elsewhere, bearer(made.token))).status, uri).to.equal(400);
    }
    const first = await post(closed, WEB, bearer(made.token));
    expect(first.status).to.equal(201);
    const { client_id: id } = (await first.json()) as { client_id: string };
    expect(await closed.running.stores.clients.byId(id)).to.deep.nested.include({
      'metadata.scope': 'openid',
      'metadata.apis': { 'https://api.test': ['read', 'write'] },
      'registered.token': made.id,
    });

    // The store knows the token after a restart, and no one who reads the store does.
    await closed.close({ keepStore: true });
    closed = await startTestServer({ config, folder: closed.folder });
    const many = await Promise.all(Array.from({ length: 10 }, () => post(closed, WEB, bearer(made.token))));
    expect(many.map(({ status }) => status).filter((status) => status === 201)).to.have.length(1);
    expect((await post(closed, WEB, bearer(made.token))).status).to.equal(401);
    expect(await run('list')).to.contain('There are no registration tokens');

    for (const words of commandsIn(readPage('registration.md'), {})) await run(...words.slice(2));
    expect(await run('list'))
      .to.contain('build server')
      .and.contain('apps.example.org');
    const another = JSON.parse(await run(...create));
    expect(await run('list'))
      .to.contain(another.id)
      .and.not.contain(another.token);
    await run('revoke', another.id);
    expect((await post(closed, WEB, bearer(another.token))).status).to.equal(401);
    terminal.close();
    await closed.close();
  });

  it('REG8 a token that is revoked while it is used stays revoked', async () => {
    const { stores, oidc } = server.running;
    const { tokens } = oidc.registrations;
    const { value, token } = await tokens.create({ organization: 'default', uses: 3, lifetime: 3600 });
    const { oidcRecords } = stores;
    const { put } = oidcRecords;
    let revoked: Promise<boolean> | undefined;
    Object.assign(oidcRecords, {
      put: async (...given: Parameters<typeof put>) => {
        if (given[0] === 'InitialAccessToken' && revoked === undefined) {
          revoked = tokens.revoke(token.id);
          // Enough for a revocation that waits for nothing.
          for (let turn = 0; turn < 50; turn += 1) await nextTurn();
        }
        return put(...given);
      },
    });
    const bearer = { authorization: `Bearer ${value}` };
    expect((await post(server, WEB, bearer)).status).to.equal(201);
    Object.assign(oidcRecords, { put });
    expect(await revoked).to.equal(true);
    expect((await post(server, WEB, bearer)).status).to.equal(401);
  });

  it('REG9 web pages may register where anyone may; where registration is off there is no such route', async () => {
    const origin = { origin: 'https://inspector.example' };
    const asked = await fetch(`${server.issuer}/register`, {
      method: 'OPTIONS',
      headers: { ...origin, 'access-control-request-method': 'POST' },
    });
    expect(asked.status).to.equal(204);
    expect(asked.headers.get('access-control-allow-origin')).to.equal('*');
    expect((await post(server, WEB, origin)).headers.get('access-control-allow-origin')).to.equal('*');
    const refused = await post(server, {}, origin);
    expect(refused.headers.get('access-control-allow-origin')).to.equal('*');
    const lost = await startTestServer({
      config: { oidc: { registration: { mode: 'open', organization: 'nowhere' } } },
    });
    expect((await post(lost, WEB)).status).to.equal(400);
    await lost.close();
    const off = await startTestServer();
    const discovery = await (await fetch(`${off.issuer}/.well-known/openid-configuration`)).json();
    expect(discovery).not.to.have.property('registration_endpoint');
    expect((await post(off, WEB)).status).to.equal(404);
    await off.close();
  });

  it('REG10 an operator may change such a client, but not make it first-party', async () => {
    const keys = await exportJWK((await generateKeyPair('ES256')).publicKey);
    const keyed = { token_endpoint_auth_method: 'private_key_jwt', jwks: { keys: [keys] } };
    const { client_id: id } = (await (await post(server, { ...WEB, ...keyed })).json()) as {
      client_id: string;
    };
    const terminal = terminalBeside(server);
    const set = (...words: string[]) => terminal.session(['client', 'set', id, ...words]);
    expect((await set('--name', 'Reading list 2')).code).to.equal(0);
    expect(await server.running.stores.clients.byId(id)).to.have.nested.property('registered.at');
    const { stdout } = await terminal.session(['client', 'list']);
    const { registered } = (await server.running.stores.clients.byId(id)) ?? {};
    expect(stdout.split('\n').find((line) => line.startsWith(id))).to.contain(registered?.at);
    const refused = await set('--first-party');
    expect(refused.code).not.to.equal(0);
    expect(refused.stderr).to.contain('first_party');
    expect((await terminal.session(['client', 'delete', id, '--yes'])).code).to.equal(0);
    expect(await server.running.stores.clients.byId(id)).to.equal(undefined);
    terminal.close();
  });
});
