/**
 * Sign-ins that end on the fast path against the provider: the same finished sign-in is resumed twice, under two ids,
 * once with a header that means nothing and takes it the long way. Replies, what is stored and what is written down are
 * the same but for what is random.
 */
import http from 'node:http';
import { expect } from 'chai';
import { DecryptionFailed, secretsFrom } from '../../src/core/crypto.ts';
import type { Json } from '../../src/model/json.ts';
import { begunCookie } from '../../src/oidc/extensions/begun-sign-ins.ts';
import type { FastRoute } from '../../src/oidc/fast-path-contract.ts';
import { createOidcRecords, type Payload } from '../../src/oidc/persistence/records.ts';
import { nativeApp, ownApp, putVariants, spa, type TestClient, webApp } from '../support/clients.ts';
import { eventually } from '../support/in-time.ts';
import { relyingParty, signIn, walk } from '../support/relying-party.ts';
import { startTestServer, TEST_KEY, type TestServer } from '../support/server.ts';
import { openWebSession } from '../support/web-session.ts';

const MARA = { login: 'mara@clinic.test', password: 'Harbour-Lantern-Quartz-41' };
const API = 'https://api.test/';
type Headers = Readonly<Record<string, string>>;
type Way = 'fast' | 'long';
const LONG: Headers = { 'content-encoding': 'identity' };

/** Clients as `own-app` is, and what is otherwise in their metadata. */
const VARIANTS: Readonly<Record<string, Record<string, Json>>> = {
  'pairwise-app': { subject_type: 'pairwise' },
  'logout-app': {
    backchannel_logout_uri: 'https://own.test/logout',
    backchannel_logout_session_required: true,
  },
  'own-native': { application_type: 'native' },
  'timely-app': { require_auth_time: true },
  'narrow-app': { scope: 'openid' },
  'roaming-app': { organizations: 'all' },
  'strict-app': { factors: { require: 'required', since: '2020-01-01T00:00:00Z', graceDays: 0 } },
  'lenient-app': { factors: { require: 'required', since: '2020-01-01T00:00:00Z', graceDays: 36_500 } },
  'api-app': { default_api: API },
};

/** Parameters, with values that an ordinary request does not have. */
const ASKED: Readonly<Record<string, readonly unknown[]>> = {
  claims: ['{"id_token":{"email":null}}'],
  acr_values: ['urn:portico:acr:stepup'],
  ...{ max_age: ['0'], login_hint: ['x'], ui_locales: ['de'], audience: [API], dpop_jkt: ['x'] },
  prompt: ['login', 'consent', 'none', 'create'],
  response_mode: ['form_post', 'jwt', 'query'],
  scope: [undefined, 'openid offline_access', 'openid x', 'email', 'openid records:read'],
  organization: ['default', 'clinicdev'],
  ...{ resource: [undefined, [API]], response_type: ['none'], code_challenge: [undefined] },
  redirect_uri: ['https://else.test/?code=1'],
  client_id: [
    ...['timely-app', 'narrow-app', 'roaming-app', 'api-app', 'registered-app', 'unknown', undefined],
    ...[nativeApp.clientId, webApp.clientId],
  ],
};

interface Reply {
  readonly status: number;
  readonly headers: readonly string[];
  readonly body: string;
}

/** What is otherwise than in an ordinary sign-in: members of what is stored (undefined: absent), and of the request. */
interface Change {
  readonly stored?: Payload;
  readonly params?: Payload;
  readonly login?: Payload;
  readonly headers?: Headers;
  readonly cookie?: (own: string) => string;
  readonly path?: (own: string) => string;
  readonly method?: string;
}

describe('sign-ins resumed by the fast path', function () {
  this.timeout(120_000);
  let server: TestServer;
  let sample: Payload;
  /** By the fast path. */
  let answered = 0;
  /** Moves between two comparisons only: the provider has a clock of its own. */
  let now = new Date();
  const secrets = secretsFrom(Buffer.from(TEST_KEY, 'base64'));
  const records = () =>
    createOidcRecords({ store: server.running.stores.oidcRecords, secrets, clock: { now: () => now } });

  before(async () => {
    const resources = [{ identifier: API, scopes: ['records:read'], open: true }];
    server = await startTestServer({
      clock: { now: () => now },
      config: { oidc: { resources, rememberConsent: 'account' } },
    });
    const { stores, oidc } = server.running;
    await putVariants(stores.clients, ownApp, VARIANTS);
    const known = await stores.clients.byId(ownApp.clientId);
    if (known === undefined) throw new Error('The client is not there.');
    const registered = { at: now.toISOString() };
    await stores.clients.put({ ...known, clientId: 'registered-app', registered });
    sample = await finished(ownApp);
    await putPeople();
    countAnswers(oidc);
  });
  after(() => server.close());

  function countAnswers(oidc: TestServer['running']['oidc']) {
    const { fastRoute } = oidc;
    const watched = (route: FastRoute): FastRoute => ({
      ...route,
      async answer(...given) {
        const answer = await route.answer(...given);
        answered += Number(answer !== undefined);
        return answer;
      },
    });
    Object.assign(oidc, {
      fastRoute(method: string, url: string) {
        const route = fastRoute(method, url);
        return route && watched(route);
      },
    });
  }

  /** As the pages leave it, before the browser comes back. */
  async function finished(client: TestClient): Promise<Payload> {
    const party = await relyingParty(server.issuer, client);
    const session = openWebSession();
    const { url } = await party.begin({ state: 'a state & more' });
    const at = await walk(session, url, `${server.issuer}/authorize/`, MARA);
    const record = await records().load('Interaction', at.slice(at.lastIndexOf('/') + 1));
    if (record === undefined) throw new Error(`The sign-in ended at ${at}.`);
    return record.payload;
  }

  const accountId = () => String(Object(sample.result).login.accountId);

  async function putPeople() {
    const { accounts } = server.running.stores;
    const mara = await accounts.byId(accountId());
    if (mara === undefined) throw new Error('Mara is not there.');
    const { email: _email, username: _username, ...rest } = { ...mara, aliases: {} };
    const app = { secret: 'x', createdAt: '2020-01-01T00:00:00Z', lastStep: 0 };
    for (const other of [
      { id: 'blocked-person', status: 'blocked' },
      { id: 'moved-person', organization: 'clinicdev' },
      { id: 'guarded-person', factors: { app } },
      { id: 'old-person', createdAt: new Date('2020-01-01') },
    ])
      await accounts.insert({ ...rest, ...other } as typeof rest);
  }

  function send({ path, method = 'GET', headers }: { path: string; method?: string; headers: Headers }) {
    const { hostname, port } = new URL(server.url);
    return new Promise<Reply>((resolve, reject) => {
      const options = { hostname, port, path, method, headers: { ...headers }, agent: false };
      const request = http.request(options, async (response) => {
        const chunks: Buffer[] = [];
        for await (const chunk of response) chunks.push(chunk);
        const { statusCode: status = 0, rawHeaders } = response;
        resolve({ status, headers: rawHeaders, body: Buffer.concat(chunks).toString() });
      });
      request.on('error', reject).end();
    });
  }

  let stored = 0;
  /** Stores a sign-in that the pages have finished, and says how its browser comes back. */
  async function store(base: Payload, { stored: members, params, login, ...change }: Change, way: Way) {
    stored += 1;
    const uid = `twin-${stored}`.padEnd(43, '-');
    const result = { login: { ...Object(base.result).login, ...login } };
    const own = { returnTo: `${server.issuer}/authorize/${uid}`, jti: uid };
    const payload = { ...base, ...own, result, params: { ...Object(base.params), ...params }, ...members };
    await records().save('Interaction', uid, payload, 3600);
    const { name, value } = begunCookie(uid, { secrets, clock: { now: () => now }, issuer: server.issuer });
    const { cookie = (text: string) => text, path = (text: string) => text, method } = change;
    const headers = { cookie: cookie(`${name}=${value}`), ...change.headers, ...(way === 'long' && LONG) };
    return { uid, request: { path: path(`/authorize/${uid}`), headers, ...(method && { method }) } };
  }

  /** Without what is random, and with what is stored and written down. */
  async function described(base: Payload, change: Change, way: Way) {
    const { uid, request } = await store(base, change, way);
    const known = server.logged.length;
    const reply = await send(request);
    const id = reply.headers[reply.headers.indexOf('X-Request-Id') + 1];
    const lines = () =>
      server.logged
        .slice(known)
        .filter((line) => line.requestId === id || JSON.stringify(line).includes('"outcome":"success"'));
    await eventually(() => expect(lines().some(({ msg }) => msg === 'request')).to.equal(true));
    const told = lines().map(({ audit, route, status }) => audit ?? { route, status });
    return masked({
      ...reply,
      told: told.map((one) => JSON.stringify(one)).sort(),
      ...(await left(uid, reply)),
    });
  }

  /** What the resumption of a sign-in leaves in the store. */
  async function left(uid: string, { headers }: Reply) {
    const { load, loadByUid } = records();
    const location = headers[headers.indexOf('Location') + 1] ?? '';
    const code = await load('AuthorizationCode', /[?&]code=([\w-]{43})/.exec(location)?.[1] ?? '');
    const cookie = /portico_session=([\w-]+)/.exec(headers.join('\n'))?.[1] ?? '';
    const [session, grant, next] = await Promise.all([
      load('Session', cookie),
      load('Grant', String(code?.payload.grantId)),
      load('Interaction', /\/interaction\/([\w-]+)/.exec(location)?.[1] ?? ''),
    ]);
    const bySession = await loadByUid('Session', String(code?.payload.sessionUid));
    return { interaction: await load('Interaction', uid), code, session, bySession, grant, next };
  }

  /** Names what is random in the order in which it comes, and moments by how many minutes they are away. */
  function masked(value: unknown): unknown {
    const names = new Map<string, string>();
    const name = (text: string) => {
      const known = names.get(text) ?? `(${text.length} characters, number ${names.size})`;
      names.set(text, known);
      return known;
    };
    const away = (milliseconds: number) => `(${Math.round((milliseconds - now.getTime()) / 60_000)} minutes)`;
    const mask = (one: unknown): unknown => {
      if (typeof one === 'string') {
        return one
          .replace(/\w{3}, \d\d \w{3} \d{4} [\d:]+ GMT|\d{4}-\d\d-\d\dT[\d:.]+Z/g, (time) =>
            away(Date.parse(time)),
          )
          .replaceAll('portico_sign_in_', 'SIGN-IN:')
          .replace(/nonce-[\w+/=-]+|nonce="[^"]+"/g, 'NONCE')
          .replace(/[\w-]{43,}|[\w-]{8}(?:-[\w-]{4}){3}-[\w-]{12}|(?<=\.sig=)[\w-]{27}|\b\d{13}\b/g, name);
      }
      if (one instanceof Date) return away(one.getTime());
      if (typeof one === 'number') return one > 1_000_000_000 ? away(one * 1000) : one;
      if (Array.isArray(one)) return one.map(mask);
      if (typeof one !== 'object' || one === null) return one;
      const members = Object.entries(one).filter(([, member]) => member !== undefined);
      return Object.fromEntries(members.sort().map(([key, member]) => [key, mask(member)]));
    };
    return mask(value);
  }

  /** Resolves with the reply of the fast path, and whether the provider had no part in it. */
  async function expectSame(change: Change, base = sample) {
    const said = JSON.stringify({ ...change, cookie: String(change.cookie), path: String(change.path) });
    answered = 0;
    now = new Date();
    const fast = await described(base, change, 'fast');
    const isFast = answered === 1;
    expect(fast, said).to.deep.equal(await described(base, change, 'long'));
    return { isFast, said, ...(fast as Reply) };
  }

  it('FP11 an ordinary sign-in ends as by the provider, without it', async () => {
    const session = openWebSession();
    await signIn(await relyingParty(server.issuer, spa), { ...MARA, session });
    for (const client of [ownApp, spa]) {
      const { isFast, status, headers } = await expectSame({}, await finished(client));
      expect({ isFast, status }, client.clientId).to.deep.equal({ isFast: true, status: 303 });
      expect(headers.join('\n')).to.contain(`${client.redirectUri}?code=`).and.to.contain('portico_session=');
    }
    const ordinary: Change[] = [
      { params: { state: undefined } },
      { params: { nonce: undefined } },
      { params: { state: 'é "<x>" \' %' } },
      { params: { scope: 'openid' } },
      { params: { client_id: 'pairwise-app' } },
      { params: { client_id: 'logout-app' } },
      { params: { client_id: 'own-native' } },
      { params: { client_id: 'lenient-app' } },
      { login: { remember: true } },
      { login: { amr: ['pwd', 'remembered'] } },
      { headers: { accept: 'application/json' } },
      { headers: { accept: 'text/html;q=0.5,*/*' } },
      { headers: { 'user-agent': 'Mozilla/5.0 (X11; Linux x86_64; rv:130.0) Gecko/20100101 Firefox/130.0' } },
      { cookie: (own) => `other=1; ${own}; portico_sign_in_x=1.x` },
      { cookie: (own) => own.replace('=', '="').concat('"') },
    ];
    for (const change of ordinary) {
      const { isFast, status, said } = await expectSame(change);
      expect({ isFast, status }, said).to.deep.equal({ isFast: true, status: 303 });
    }
  });

  it('FP11 what is unusual is left to the provider: what was asked, the answer, the person, the client', async () => {
    const asked = Object.entries(ASKED).flatMap(([name, values]) =>
      values.map((value) => ({ [name]: value })),
    );
    const login = Object(sample.result).login;
    const [ended, account] = [Math.floor(Date.now() / 1000), { accountId: accountId() }];
    const results = [undefined, {}, { error: 'access_denied', error_description: 'no' }];
    const more = [{ consent: {} }, { select_account: {} }, { kept: { x: 1 } }];
    const answers: Payload[] = [
      ...[...results, ...more.map((each) => ({ login, ...each }))].map((result) => ({ result })),
      ...[
        { over: true },
        { session: account },
        { session: { uid: 'x', ...account } },
        { trusted: ['scope'] },
      ],
      ...[{ lastSubmission: {} }, { grantId: 'x' }, { parJti: 'x' }, { deviceCode: 'x' }],
      ...[{ exp: ended - 1 }, { exp: ended }],
    ];
    const people: Payload[] = [
      ...['unknown', 'blocked-person', 'moved-person', 'guarded-person', ''].map((id) => ({ accountId: id })),
      ...[{ ts: undefined }, { amr: undefined }, { acr: undefined }, { remember: undefined }, { more: 1 }],
    ];
    const changes = [
      ...asked.map((params) => ({ params })),
      ...answers.map((members) => ({ stored: members })),
      ...people.map((members) => ({ login: members })),
      { params: { client_id: 'strict-app' }, login: { accountId: 'old-person' } },
    ];
    for (const change of changes) {
      const { isFast, said } = await expectSame(change);
      expect(isFast, said).to.equal(false);
    }
  });

  it('FP11 what does not prove its browser, and one with a session, is left to the provider', async () => {
    const browser = openWebSession();
    await signIn(await relyingParty(server.issuer, ownApp), { ...MARA, session: browser });
    const session = /portico_session[^;]*; portico_session\.sig[^;]*/;
    const live = session.exec(await browser.jar.getCookieString(server.issuer))?.[0] ?? '';
    const cookies: ((own: string) => string)[] = [
      ...['', 'x=1'].map((cookie) => () => cookie),
      (own) => own.replace(/.$/, '!'),
      (own) => own.replace(/=\d+/, '=1'),
      (own) => own.replace('twin-', 'twix-'),
      ...['portico_session=x', live].map((cookie) => (own: string) => `${own}; ${cookie}`),
    ];
    const paths: ((own: string) => string)[] = [
      ...['?x=1', '/', '/x', '#x', '%20', '='].map((end) => (own: string) => own + end),
      (own) => own.replace('twin-', 'twix-'),
      (own) => own.toUpperCase(),
    ];
    const headers: Headers[] = [
      { origin: 'https://app.test' },
      { dpop: 'x' },
      { host: 'evil.com:x@good.com' },
    ];
    const changes: Change[] = [
      ...cookies.map((cookie) => ({ cookie })),
      ...paths.map((path) => ({ path })),
      ...headers.map((each) => ({ headers: each })),
      ...['HEAD', 'POST', 'PUT'].map((method) => ({ method })),
    ];
    for (const change of changes) {
      const { isFast, said } = await expectSame(change);
      expect(isFast, said).to.equal(false);
    }
    expect(live).to.contain('portico_session.sig=');
  });

  it('FP11 a sign-in that is resumed again, or twice at once, goes on as by the provider', async () => {
    const outcomes = async (way: Way) => {
      const { uid, request } = await store(sample, {}, way);
      const first = await send(request);
      const { code: made } = await left(uid, first);
      const cookies = first.headers.filter((header) => header.startsWith('portico_session'));
      const cookie = [request.headers.cookie, ...cookies.map((each) => each.split(';')[0])].join('; ');
      // Without the new session, as an attacker with the cookie comes; in the same browser; and as another person.
      const replies = [
        await send(request),
        await send({ ...request, headers: { ...request.headers, cookie } }),
      ];
      const other = await store(sample, { login: { accountId: 'old-person' } }, way);
      const mixed = `${other.request.headers.cookie}; ${cookie}`;
      replies.push(await send({ ...other.request, headers: { ...other.request.headers, cookie: mixed } }));
      return masked({ first, replies, used: made?.consumedAt });
    };
    expect(await outcomes('fast')).to.deep.equal(await outcomes('long'));

    const atOnce = async (way: Way) => {
      const { request } = await store(sample, {}, way);
      const replies = await Promise.all([send(request), send(request)]);
      return replies.map(({ status, headers }) => [status, headers.join().includes('?code=')]);
    };
    expect(await atOnce('fast')).to.deep.equal(await atOnce('long'));
  });

  it('FP11 a browser gets no session that the store does not keep', async () => {
    const { oidcRecords } = server.running.stores;
    const { putAll, put } = oidcRecords;
    for (const way of ['fast', 'long'] as const) {
      const { request } = await store(sample, {}, way);
      const fails = () => Promise.reject(new Error('down'));
      Object.assign(oidcRecords, { putAll: fails, put: fails });
      const { status, headers } = await send(request);
      Object.assign(oidcRecords, { putAll, put });
      expect([way, status, headers.join().includes('portico_session')]).to.deep.equal([way, 500, false]);
    }
  });

  it('FP11 a record that this process wrote is read as the store has it now', async () => {
    const { oidcRecords } = server.running.stores;
    const [one, other] = [records(), records()];
    for (const kind of ['Interaction', 'AuthorizationCode', 'Grant']) {
      const read = async (value: string) => (await one.load(kind, value))?.payload;
      await one.save(kind, 'mine', { by: 'one' }, 60);
      const loaded = await read('mine');
      expect(loaded).to.deep.equal({ by: 'one' });
      Object.assign(loaded ?? {}, { by: 'a reader' });
      expect(await read('mine')).to.deep.equal({ by: 'one' });

      await other.save(kind, 'mine', { by: 'another process' }, 60);
      expect(await read('mine')).to.deep.equal({ by: 'another process' });

      // What an attacker with the store copies from one row to another opens in neither.
      await one.save(kind, 'theirs', { by: 'one' }, 60);
      const idOf = (value: string) => secrets.hmac(`artifact:${kind}`, value);
      const row = await oidcRecords.byId(kind, idOf('theirs'), now);
      if (row === undefined) throw new Error('The record is not there.');
      await oidcRecords.put(kind, idOf('mine'), row);
      const outcome = await read('mine').catch((error: unknown) => error);
      expect(outcome).to.be.instanceOf(DecryptionFailed);
    }
  });

  it('FP11 the session of an https server is as guarded as by the provider', async () => {
    const plain = server;
    server = await startTestServer({ clock: { now: () => now }, config: { issuer: 'https://id.test' } });
    countAnswers(server.running.oidc);
    try {
      for (const remember of [true, false]) {
        const { isFast, headers } = await expectSame({ login: { remember } });
        expect(isFast).to.equal(true);
        expect(headers.join('\n')).to.match(/__Host-portico_session=.*; samesite=lax; secure; httponly/);
      }
    } finally {
      await server.close();
      server = plain;
    }
  });
});
