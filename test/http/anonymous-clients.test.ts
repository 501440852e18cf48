/** What people who have proven nothing can make the server keep: how much at once, and how often from one address. */
import path from 'node:path';
import { DatabaseSync } from 'node:sqlite';
import { expect } from 'chai';
import { patient } from '../dialects/careportals/client.ts';
import { nativeApp, tvApp, webApp } from '../support/clients.ts';
import { type HttpClient, type Incoming, openClient } from '../support/http-client.ts';
import { startTestServer, type TestServer } from '../support/server.ts';

const FORM = 'application/x-www-form-urlencoded';
const CHALLENGE = 'E9Melhoa2OwvFrEMTJguCHaoeK1t8URWbuGJSstw-cM';

describe('anonymous clients', () => {
  let server: TestServer;
  let client: HttpClient;
  before(async () => {
    const limit = { limit: 3, window: '1h' };
    server = await startTestServer({
      config: { strangers: { signIns: limit, pushedRequests: limit, deviceCodes: limit, accounts: limit } },
    });
    client = openClient(server.url);
  });
  after(() => server.close());

  let addresses = 0;
  const elsewhere = () => `198.51.100.${++addresses}`;

  interface Asking {
    readonly from?: string;
    readonly authorization?: string;
  }

  const REQUEST = {
    client_id: nativeApp.clientId,
    redirect_uri: nativeApp.redirectUri,
    response_type: 'code',
    scope: 'openid',
    code_challenge: CHALLENGE,
    code_challenge_method: 'S256',
  };

  function send(method: string, path: string, fields: object, { from, authorization }: Asking = {}) {
    const text = new URLSearchParams({ ...fields }).toString();
    const headers = {
      accept: path === '/authorize' ? 'text/html' : 'application/json',
      'x-forwarded-for': from ?? elsewhere(),
      ...(authorization !== undefined && { authorization }),
    };
    if (method === 'GET') return client.send({ method, path: `${path}?${text}`, headers });
    return client.send({ method, path, headers: { ...headers, 'content-type': FORM }, body: text });
  }

  /** Every way to hand in an authorization request, and the status of one that is taken. */
  const SIGN_IN_METHODS = {
    'GET /authorize': [
      303,
      (more: object, asking?: Asking) => send('GET', '/authorize', { ...REQUEST, ...more }, asking),
    ],
    'POST /authorize': [
      303,
      (more: object, asking?: Asking) => send('POST', '/authorize', { ...REQUEST, ...more }, asking),
    ],
    'POST /par': [
      201,
      (more: object, asking?: Asking) => send('POST', '/par', { ...REQUEST, ...more }, asking),
    ],
    'POST /device_authorization': [
      200,
      (more: object, asking?: Asking) =>
        send(
          'POST',
          '/device_authorization',
          { client_id: tvApp.clientId, scope: 'openid', ...more },
          asking,
        ),
    ],
  } as const;

  it('B4 an authorization request has 8 kB at the most, its state 2, scope, ui_locales and login_hint 1, its nonce half a kB', async () => {
    const locales = (bytes: number) =>
      'en '
        .repeat(bytes)
        .slice(0, bytes - 1)
        .concat('n');
    const scopes = (bytes: number) => `openid ${'x'.repeat(bytes - 7)}`;
    const text = (bytes: number) => 'x'.repeat(bytes);
    const each: [string, number, (bytes: number) => string][] = [
      ['state', 2048, text],
      ['nonce', 512, text],
      ['scope', 1024, scopes],
      ['ui_locales', 1024, locales],
      ['login_hint', 1024, text],
    ];
    for (const [signInMethod, [taken, ask]] of Object.entries(SIGN_IN_METHODS)) {
      for (const [name, most, value] of each) {
        expect((await ask({ [name]: value(most) })).status, `${signInMethod} ${name}`).to.equal(taken);
        expect((await ask({ [name]: value(most + 1) })).status, `${signInMethod} a longer ${name}`).to.equal(
          413,
        );
        expect(
          (await ask({ [name]: 'é'.repeat(most / 2 + 1) })).status,
          `${signInMethod} ${name} in bytes`,
        ).to.equal(413);
      }
      expect((await ask({ acr_values: text(7000) })).status, `${signInMethod} under 8 kB`).to.equal(taken);
      expect((await ask({ acr_values: text(8192) })).status, `${signInMethod} over 8 kB`).to.equal(413);
    }
    const told = await SIGN_IN_METHODS['POST /par'][1]({ state: text(2049) });
    expect(told.json()).to.include({ error: 'invalid_request' });
  });

  it('B4 one address can begin so many sign-ins, pushed requests and device codes, and another one as many', async () => {
    for (const signInMethod of ['GET /authorize', 'POST /par', 'POST /device_authorization'] as const) {
      const [taken, ask] = SIGN_IN_METHODS[signInMethod];
      const from = elsewhere();
      const answers = await Promise.all(Array.from({ length: 8 }, () => ask({}, { from })));
      const refused = answers.filter(({ status }) => status === 429);
      expect(
        answers.filter(({ status }) => status === taken),
        signInMethod,
      ).to.have.length(3);
      expect(refused, signInMethod).to.have.length(5);
      for (const { headers } of refused) expect(Number(headers['retry-after'])).to.be.within(3500, 3600);
      expect((await ask({})).status, `${signInMethod} from elsewhere`).to.equal(taken);
    }
    const limits = server.running.stores.audit.latest({ limit: 100 });
    expect((await limits).filter(({ event }) => event === 'limit')).to.have.length(3);
  });

  it('B4 a sign-in with an upstream that is begun at a dialect counts as one that is begun here', async () => {
    const from = elsewhere();
    const google = () =>
      client.send({
        method: 'GET',
        path: '/api/v1/auth/oauth/google',
        headers: { 'x-forwarded-for': from },
      });
    expect((await SIGN_IN_METHODS['GET /authorize'][1]({}, { from })).status).to.equal(303);
    expect((await google()).status).to.equal(302);
    expect((await google()).status).to.equal(302);
    const over = await google();
    expect([over.status, over.json()]).to.deep.equal([429, { detail: 'Too many requests' }]);
    expect((await SIGN_IN_METHODS['GET /authorize'][1]({}, { from })).status).to.equal(429);
  });

  it('B4 what keeps nothing, and what a client asks that has proven itself, uses nothing up', async () => {
    const from = elsewhere();
    for (let asked = 0; asked < 5; asked += 1) {
      const silent = await SIGN_IN_METHODS['GET /authorize'][1]({ prompt: 'none' }, { from });
      expect(silent.headers.location).to.contain('login_required');
      await SIGN_IN_METHODS['POST /par'][1]({ redirect_uri: 'https://elsewhere.test' }, { from });
    }
    expect((await SIGN_IN_METHODS['GET /authorize'][1]({}, { from })).status).to.equal(303);
    const authorization = `Basic ${btoa(`${webApp.clientId}:${webApp.secret}`)}`;
    const own = { client_id: webApp.clientId, redirect_uri: webApp.redirectUri };
    for (let asked = 0; asked < 5; asked += 1) {
      const pushed = await send('POST', '/par', { ...REQUEST, ...own }, { from, authorization });
      expect(pushed.status, pushed.text).to.equal(201);
    }
  });

  it('B4 signing out where nobody is signed in keeps nothing, and a page for device codes counts as a sign-in', async () => {
    const sessions = () => {
      const database = new DatabaseSync(path.join(server.folder, 'portico.db'), { readOnly: true });
      const kept = database
        .prepare("SELECT count(*) AS sessions FROM oidc_records WHERE kind = 'Session'")
        .get();
      database.close();
      return Number(kept?.sessions);
    };
    const before = sessions();
    const from = elsewhere();
    for (let asked = 0; asked < 5; asked += 1) {
      const out = await send('GET', '/logout', { state: 'x'.repeat(6000) }, { from });
      expect([out.status, out.headers.location, out.cookies]).to.deep.equal([
        303,
        `${server.issuer}/logout/success`,
        [],
      ]);
    }
    expect(sessions()).to.equal(before);
    const statuses = [];
    for (let asked = 0; asked < 5; asked += 1)
      statuses.push((await send('GET', '/device', {}, { from })).status);
    expect(statuses).to.deep.equal([200, 200, 200, 429, 429]);
    expect(sessions()).to.equal(before + 3);
  });

  it('B4 one address can open so many accounts, at all dialects together, and is told so in their words', async () => {
    const from = elsewhere();
    const open = (path: string, body: object, headers: object = {}): Promise<Incoming> =>
      client.send({
        method: 'POST',
        path,
        headers: { 'content-type': 'application/json', 'x-forwarded-for': from, ...headers },
        body: JSON.stringify(body),
      });
    const careportals = (who: string) =>
      open('/patient/users', patient(`${who}@stranger.test`), { organization: 'north_clinic' });
    const avycenna = (who: string) =>
      open('/api/v1/auth/register', {
        name: who,
        email: `${who}@stranger.test`,
        password: 'Cinder-Maple-52-x',
      });
    expect((await careportals('one')).status).to.equal(201);
    expect((await careportals('one')).status, 'a taken address opens nothing').to.equal(409);
    expect((await avycenna('one')).status).to.equal(201);
    expect((await avycenna('one')).status).to.equal(409);
    expect((await avycenna('two')).status).to.equal(201);
    const overCareportals = await careportals('three');
    expect([overCareportals.status, overCareportals.json()]).to.deep.equal([
      429,
      { message: 'Too Many Requests' },
    ]);
    const overAvycenna = await avycenna('three');
    expect([overAvycenna.status, overAvycenna.json()]).to.deep.equal([429, { detail: 'Too many requests' }]);
    for (const { headers } of [overCareportals, overAvycenna])
      expect(Number(headers['retry-after'])).to.be.within(3500, 3600);
    expect(await server.running.stores.accounts.byEmail('north_clinic', 'three@stranger.test')).to.equal(
      undefined,
    );
  });
});
