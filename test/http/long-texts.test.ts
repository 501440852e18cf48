/** No text that a client sends keeps the server from others (security.md B1): pages, the provider, headers and cookies. */
import { expect } from 'chai';
import { requestBounds } from '../../src/oidc/provider/routes.ts';
import { avycenna, vsee } from '../dialects/vendors.ts';
import { basicAuth, ownApp, recordsApi, tvApp, webApp, webAppPost } from '../support/clients.ts';
import { leastWorkOf } from '../support/cpu-time.ts';
import { HEAD, type Place, Sender, slowText } from '../support/long-texts.ts';
import { type RelyingParty, relyingParty } from '../support/relying-party.ts';
import { startTestServer, type TestServer } from '../support/server.ts';
import { type Form, openWebSession, type Page, type WebSession } from '../support/web-session.ts';

/** Bytes that a text may have in a form of a page and of the provider. */
const [PAGE, PROVIDER] = [15_500, 56_000];

/** Bytes of a parameter: authorization requests are bounded as a whole, and some of their parameters. */
function longestOf(path: string, name: string): number {
  const bounds = requestBounds(path);
  return bounds === undefined ? PROVIDER : (bounds.parameters[name] ?? bounds.whole - 500);
}
const MARA = { login: 'mara@clinic.test', password: 'Harbour-Lantern-Quartz-41' };
const UNTIL = ['https://own.test/'];

/** Steps of a sign-in, with the fields that each reads besides the form's token. */
const STEPS: Readonly<Record<string, readonly string[]>> = {
  'sign-in': ['login', 'password', 'remember'],
  name: ['login'],
  'code/send': ['login', 'remember'],
  code: ['code'],
  password: ['password'],
  account: ['to', 'account'],
  'with/google': ['remember'],
  register: ['email', 'name', 'password'],
  'register/code': ['code'],
  consent: ['decision'],
};

const AUTHORIZATION = {
  ...{ client_id: webApp.clientId, redirect_uri: webApp.redirectUri, response_type: 'code', scope: 'openid' },
  ...{
    code_challenge_method: 'S256',
    code_challenge: 'E9Melhoa2OwvFrEMTJguCHaoeK1t8URWbuGJSstw-cM',
  },
};
const AUTHORIZATION_NAMES = [
  ...Object.keys(AUTHORIZATION),
  ...['state', 'nonce', 'prompt', 'display', 'max_age', 'ui_locales', 'claims_locales', 'claims'],
  ...['id_token_hint', 'login_hint', 'acr_values', 'response_mode', 'resource', 'dpop_jkt', 'request'],
  ...['request_uri', 'registration', 'unheard_of'],
];

/** With what stands before the text. */
const HEADERS: readonly (readonly [name: string, before: string])[] = [
  ['authorization', ''],
  ['authorization', 'Bearer '],
  ['authorization', 'Basic '],
  ['authorization', 'DPoP '],
  ['cookie', ''],
  ['cookie', '_session='],
  ['cookie', 'portico_form='],
  ['content-type', 'multipart/form-data; boundary='],
  ...['dpop', 'origin', 'referer', 'user-agent', 'host', 'accept', 'accept-language', 'accept-encoding'],
  ...['content-type', 'content-encoding', 'if-none-match', 'range', 'sec-fetch-site', 'sec-purpose'],
  ...['x-forwarded-for', 'x-forwarded-host', 'x-forwarded-proto', 'forwarded', 'x-request-id'],
  ...['organization', 'x-accountcode', 'x-apikey', 'x-apisecret', 'x-apitoken', 'x-api-key'],
].map((header): readonly [string, string] =>
  typeof header === 'string' ? [header, ''] : [header[0] ?? '', header[1] ?? ''],
);

const ASKED: readonly (readonly [method: string, path: string])[] = [
  ['GET', '/account'],
  ['GET', '/userinfo'],
  ['POST', '/token'],
  ...[vsee, avycenna].map(({ me }) => ['GET', me.path] as const),
];

describe('long texts', function () {
  this.timeout(120_000);
  let server: TestServer;
  let sender: Sender;
  let party: RelyingParty;

  before(async () => {
    server = await startTestServer({ config: { log: { level: 'info' } } });
    sender = new Sender(server.url);
    party = await relyingParty(server.issuer, ownApp);
  });
  after(async () => {
    sender?.close();
    await server?.close();
  });

  async function opened(session: WebSession, path: string): Promise<Page> {
    const shown = await session.open(new URL(path, server.url).href, UNTIL);
    if (typeof shown === 'string') throw new Error(`The browser was sent to ${shown}.`);
    return shown;
  }

  async function formPlaces(
    session: WebSession,
    form: Pick<Form, 'action' | 'fields' | 'names'>,
  ): Promise<Place[]> {
    const headers = { cookie: await session.jar.getCookieString(form.action), origin: server.url };
    const path = form.action.slice(server.url.length);
    return form.names.map((field) =>
      sender.formPlace({ path, headers, field, longest: PAGE, others: form.fields }),
    );
  }

  it('B1 no field of a sign-in keeps the server from others', async () => {
    const places: Place[] = [];
    const session = openWebSession();
    const first = await opened(session, (await party.begin()).url);
    const { form_token = '' } = first.forms[0]?.fields ?? {};
    expect(form_token).not.to.equal('');
    for (const [step, names] of Object.entries(STEPS)) {
      const action = `${first.url}/${step}`;
      places.push(...(await formPlaces(session, { action, names, fields: { ...MARA, form_token } })));
    }
    const forgot = await opened(session, '/forgot');
    await session.submit(forgot, { login: MARA.login });
    const { text } = await server.mail.take(MARA.login);
    const reset = /\/reset\?token=\S+/.exec(text)?.[0] ?? '';
    for (const path of ['/forgot', reset, '/device']) {
      for (const form of (await opened(session, path)).forms)
        places.push(...(await formPlaces(session, form)));
    }
    const slow = await slowText(places);
    expect(slow, slow).to.equal(undefined);
    expect(sender.takeUnread()).to.deep.equal([]);
  });

  it('B1 no field of my account keeps the server from others', async () => {
    const session = openWebSession();
    const first = await opened(session, (await party.begin()).url);
    await session.submit(first, MARA, { until: UNTIL });
    const places: Place[] = [];
    for (const page of ['profile', 'address', 'password', 'sign-ins', 'access', 'keys', 'delete']) {
      const { forms } = await opened(session, `/account/${page}`);
      for (const form of forms) places.push(...(await formPlaces(session, form)));
    }
    expect(places.length).to.be.greaterThan(25);
    const slow = await slowText(places);
    expect(slow, slow).to.equal(undefined);
    expect(sender.takeUnread()).to.deep.equal([]);
  });

  it('B1 no parameter of the provider keeps the server from others', async () => {
    const asWebApp = { authorization: basicAuth(webApp) };
    const asRecords = { authorization: basicAuth(recordsApi) };
    const posted = { client_id: webAppPost.clientId, client_secret: String(webAppPost.secret) };
    const at = (path: string, headers: Record<string, string>, names: readonly string[], others = {}) =>
      names.map((field) => {
        return sender.formPlace({ path, headers, field, longest: longestOf(path, field), others });
      });
    const grant = (grant_type: string, input: Record<string, string>) =>
      at('/token', asWebApp, Object.keys(input), { grant_type, ...input });
    const places = [
      ...at('/par', asWebApp, AUTHORIZATION_NAMES, AUTHORIZATION),
      ...AUTHORIZATION_NAMES.map((name) => {
        const others = new URLSearchParams(AUTHORIZATION);
        others.delete(name);
        return sender.queryPlace(`/authorize?${others}`, name, { longest: longestOf('/authorize', name) });
      }),
      ...grant('authorization_code', {
        ...{ code: 'x', code_verifier: 'x'.repeat(43), redirect_uri: webApp.redirectUri, resource: 'urn:x' },
      }),
      ...grant('refresh_token', { refresh_token: 'x', scope: 'openid', grant_type: 'refresh_token' }),
      ...at('/token', {}, Object.keys(posted), {
        grant_type: 'refresh_token',
        refresh_token: 'x',
        ...posted,
      }),
      ...at('/token', {}, ['client_assertion', 'client_assertion_type'], {
        ...{
          grant_type: 'refresh_token',
          refresh_token: 'x',
          client_id: webApp.clientId,
          client_assertion: 'x',
        },
        client_assertion_type: 'urn:ietf:params:oauth:client-assertion-type:jwt-bearer',
      }),
      ...at('/token', {}, ['device_code'], {
        grant_type: 'urn:ietf:params:oauth:grant-type:device_code',
        client_id: tvApp.clientId,
      }),
      ...at('/device_authorization', {}, ['scope', 'client_id', 'resource', 'claims'], {
        client_id: tvApp.clientId,
        scope: 'openid',
      }),
      ...['/introspect', '/revoke'].flatMap((path) =>
        at(path, asRecords, ['token', 'token_type_hint'], { token: 'x' }),
      ),
      ...at('/userinfo', {}, ['access_token']),
      ...['id_token_hint', 'client_id', 'post_logout_redirect_uri', 'state', 'logout_hint', 'ui_locales'].map(
        (name) => sender.queryPlace('/logout', name),
      ),
      sender.queryPlace('/device', 'user_code'),
    ];
    const slow = await slowText(places);
    expect(slow, slow).to.equal(undefined);
    expect(sender.takeUnread()).to.deep.equal([]);
  });

  it('B1 no header, and no cookie, keeps the server from others', async () => {
    const places = HEADERS.flatMap(([name, before]) =>
      ASKED.map(
        ([method, path]): Place => ({
          name: `${method} ${path} ${name}: ${before}`,
          longest: HEAD,
          wire: (text) => before + Buffer.from(text).toString('latin1'),
          send: (wire) =>
            sender.send(method, path, { [name]: wire }, method === 'POST' ? 'grant_type=none' : undefined),
        }),
      ),
    );
    const slow = await slowText(places);
    expect(slow, slow).to.equal(undefined);
    expect(sender.takeUnread()).to.deep.equal([]);
  });

  it('B1 no number of names in a query keeps the server from others', async () => {
    const names = '&a'.repeat(7000);
    for (const path of [
      '/reset',
      '/device',
      '/logout',
      '/account',
      '/forgot',
      '/userinfo',
      avycenna.me.path,
    ]) {
      const ask = async () => {
        expect((await sender.send('GET', `${path}?token=${names}`, {})).status, path).to.equal(400);
      };
      expect(await leastWorkOf(ask, 3), path).to.be.below(50);
    }
    expect((await sender.send('GET', `/forgot?${'a&'.repeat(249)}`, {})).status).to.equal(200);
  });
});
