/** Makes every error happen that docs/errors.md lists, against a whole server, and reads what the application reads. */
import { expect } from 'chai';
import { exportJWK, generateKeyPair, type JWTPayload, SignJWT } from 'jose';
import { COMMON_ERRORS, type CommonError } from '../../src/oidc/provider/common-errors.ts';
import { basicAuth, ownApp, service, spa, webApp } from '../support/clients.ts';
import { walk } from '../support/relying-party.ts';
import { startTestServer, type TestServer } from '../support/server.ts';
import { openWebSession, type Page, type WebSession } from '../support/web-session.ts';
import { CHALLENGE, VERIFIER } from './support.ts';

/** The codes of RFC 6749 (4.1.2.1, 5.2), 6750, 7009, 8628, 8707, 9126, 9449 and OIDC Core 3.1.2.6. */
const REGISTERED = new Set(
  `invalid_request unauthorized_client access_denied unsupported_response_type invalid_scope server_error
  temporarily_unavailable invalid_client invalid_grant unsupported_grant_type invalid_token insufficient_scope
  unsupported_token_type authorization_pending slow_down expired_token invalid_target invalid_dpop_proof
  use_dpop_nonce interaction_required login_required account_selection_required consent_required
  invalid_request_uri invalid_request_object request_not_supported request_uri_not_supported
  registration_not_supported`.split(/\s+/),
);

const MARA = { login: 'mara@clinic.test', password: 'Harbour-Lantern-Quartz-41' };

type Form = Record<string, string | undefined>;

describe('the commonest errors', () => {
  let server: TestServer;
  let session: WebSession;
  let signingKey: Awaited<ReturnType<typeof generateKeyPair>>['privateKey'];

  before(async () => {
    server = await startTestServer({ dialects: [] });
    const pair = await generateKeyPair('ES256');
    signingKey = pair.privateKey;
    const stored = await server.running.stores.clients.byId(ownApp.clientId);
    if (stored === undefined) throw new Error('no client');
    const { secretHash: _none, ...own } = stored;
    const jwk = { ...(await exportJWK(pair.publicKey)), kid: 'known', alg: 'ES256', use: 'sig' };
    const signer = { token_endpoint_auth_method: 'private_key_jwt', jwks: { keys: [jwk] } };
    await server.running.stores.clients.put({
      ...own,
      clientId: 'signer',
      metadata: { ...own.metadata, client_id: 'signer', ...JSON.parse(JSON.stringify(signer)) },
    });
    const bound = { token_endpoint_auth_method: 'none', dpop_bound_access_tokens: true };
    const metadata = { ...own.metadata, client_id: 'bound', ...bound };
    await server.running.stores.clients.put({ ...own, clientId: 'bound', metadata });
    const speechless = { grant_types: ['client_credentials'], response_types: [] };
    await server.running.stores.clients.put({
      ...stored,
      clientId: 'speechless',
      metadata: { ...own.metadata, client_id: 'speechless', ...speechless },
    });
    session = openWebSession();
  });
  after(() => server.close());

  /* ------------------------------------------------------------------ requests */

  interface Answer {
    readonly answer: CommonError['answer'];
    readonly error: string | undefined;
    readonly says: string;
  }

  const defined = (form: Form) =>
    new URLSearchParams(
      Object.entries(form).filter((pair): pair is [string, string] => pair[1] !== undefined),
    );

  function authorizeUrl(changes: Form = {}): string {
    const form = {
      ...{ client_id: ownApp.clientId, redirect_uri: ownApp.redirectUri, response_type: 'code', state: 'st' },
      ...{ scope: 'openid', code_challenge: CHALLENGE, code_challenge_method: 'S256', ...changes },
    };
    return `${server.issuer}/authorize?${defined(form)}`;
  }

  function ofPage({ status, body }: Page): Answer {
    expect(status).to.equal(400);
    const [, error] = /<dt>Code<\/dt><dd><code>([^<]*)/.exec(body) ?? [];
    return { answer: 'page', error, says: body };
  }

  /** A browser goes there. */
  async function visit(url: string, visitor = openWebSession()): Promise<Answer> {
    const at = await visitor.open(url, [ownApp.redirectUri]);
    if (typeof at !== 'string') return ofPage(at);
    const { searchParams: query, hash } = new URL(at);
    const searchParams = hash === '' ? query : new URLSearchParams(hash.slice(1));
    return {
      answer: 'redirect',
      error: searchParams.get('error') ?? undefined,
      says: searchParams.get('error_description') ?? '',
    };
  }
  const authorize = (changes: Form) => visit(authorizeUrl(changes));

  async function send(path: string, init: RequestInit): Promise<Answer> {
    const reply = await fetch(server.issuer + path, init);
    const body: unknown = await reply.json();
    expect(body).to.include.keys('error', 'error_description');
    const { error, error_description: says } = body as { error: string; error_description: string };
    return { answer: reply.status, error, says };
  }
  const post = (path: string, form: Form, headers: Record<string, string> = {}) =>
    send(path, { method: 'POST', body: defined(form), headers });

  const OWN = { authorization: basicAuth(ownApp) };
  const SERVICE = { authorization: basicAuth(service) };
  const machine = { grant_type: 'client_credentials' };

  async function codeFor(changes: Form = {}): Promise<string> {
    const { redirect_uri: target = ownApp.redirectUri } = changes;
    const callback = await walk(session, authorizeUrl(changes), target, MARA);
    return String(new URL(callback).searchParams.get('code'));
  }
  const redemption = (code: string, changes: Form = {}): Form => ({
    ...{ grant_type: 'authorization_code', code, redirect_uri: ownApp.redirectUri, code_verifier: VERIFIER },
    ...changes,
  });
  async function redeem(changes: Form, headers: Record<string, string> = OWN): Promise<Answer> {
    return post('/token', redemption(await codeFor(), changes), headers);
  }
  async function tokens(): Promise<{ refresh_token: string; id_token: string }> {
    const body = defined(redemption(await codeFor()));
    const reply = await fetch(`${server.issuer}/token`, { method: 'POST', body, headers: OWN });
    expect(reply.status).to.equal(200);
    return (await reply.json()) as { refresh_token: string; id_token: string };
  }

  async function assert(changes: JWTPayload, kid = 'known', key = signingKey): Promise<Answer> {
    const now = Math.floor(Date.now() / 1000);
    const claims = {
      iss: 'signer',
      sub: 'signer',
      aud: server.issuer,
      exp: now + 60,
      jti: crypto.randomUUID(),
    };
    const jwt = new SignJWT({ ...claims, ...changes }).setProtectedHeader({ alg: 'ES256', kid });
    return post('/token', {
      ...{ grant_type: 'refresh_token', refresh_token: 'x', client_assertion: await jwt.sign(key) },
      client_assertion_type: 'urn:ietf:params:oauth:client-assertion-type:jwt-bearer',
    });
  }

  async function prove(changes: JWTPayload, times = 1): Promise<Answer> {
    const { privateKey, publicKey } = await generateKeyPair('ES256');
    const claims = { jti: crypto.randomUUID(), htm: 'POST', htu: `${server.issuer}/token` };
    const jwt = new SignJWT({ iat: Math.floor(Date.now() / 1000), ...claims, ...changes });
    const jwk = await exportJWK(publicKey);
    const DPoP = await jwt.setProtectedHeader({ typ: 'dpop+jwt', alg: 'ES256', jwk }).sign(privateKey);
    for (let time = 1; time < times; time += 1)
      await fetch(`${server.issuer}/token`, {
        method: 'POST',
        body: defined(machine),
        headers: { ...SERVICE, DPoP },
      });
    return post('/token', machine, { ...SERVICE, DPoP });
  }

  async function pushedTwice(): Promise<Answer> {
    const body = new URL(authorizeUrl()).searchParams;
    const reply = await fetch(`${server.issuer}/par`, { method: 'POST', body, headers: OWN });
    const { request_uri } = (await reply.json()) as { request_uri: string };
    const url = `${server.issuer}/authorize?${defined({ client_id: ownApp.clientId, request_uri })}`;
    await walk(session, url, ownApp.redirectUri, MARA);
    return visit(url);
  }

  async function enterUserCode(): Promise<Answer> {
    const visitor = openWebSession();
    const form = await visitor.open(`${server.issuer}/device`);
    if (typeof form === 'string') throw new Error(form);
    const shown = await visitor.submit(form, { user_code: 'BCDF-GHJK' });
    if (typeof shown === 'string') throw new Error(shown);
    return ofPage(shown);
  }

  /** Each made as an application would make it. */
  const MADE: Readonly<Record<keyof typeof COMMON_ERRORS, () => Promise<Answer>>> = {
    'unknown-client': () => authorize({ client_id: 'nobody' }),
    'wrong-redirect-uri': () => authorize({ redirect_uri: `${ownApp.redirectUri}/` }),
    'no-redirect-uri': () => authorize({ redirect_uri: undefined }),
    'no-pkce': () =>
      visit(
        authorizeUrl({
          ...{ client_id: 'bound', code_challenge: undefined, code_challenge_method: undefined },
        }),
      ),
    'plain-pkce': () => authorize({ code_challenge_method: 'plain' }),
    'wrong-response-type': () => authorize({ response_type: 'code id_token', nonce: 'n' }),
    'wrong-response-mode': () => authorize({ response_mode: 'post' }),
    'no-response-type': () => authorize({ response_type: undefined }),
    'unknown-scope': () => authorize({ scope: 'openid phone' }),
    'unknown-resource': () => authorize({ resource: 'https://nowhere.test/' }),
    'no-openid': () => authorize({ scope: 'profile', nonce: 'n' }),
    'prompt-none': () => authorize({ prompt: 'none' }),
    'wrong-prompt': () => authorize({ prompt: 'always' }),
    'parameter-twice': () => visit(`${authorizeUrl()}&scope=openid`),
    'request-object': () => authorize({ request: 'eyJhbGciOiJub25lIn0.e30.' }),
    'foreign-request-uri': () => authorize({ request_uri: 'https://own.test/request' }),
    'foreign-id-token-hint': () => authorize({ id_token_hint: 'eyJhbGciOiJub25lIn0.e30.' }),
    'wrong-client-type': () => authorize({ client_id: 'speechless' }),
    'no-client-at-token': () => post('/token', machine),
    'wrong-secret': () => post('/token', machine, { authorization: basicAuth({ ...service, secret: 'no' }) }),
    'unknown-client-at-token': () =>
      post('/token', machine, { authorization: basicAuth({ ...service, clientId: 'nobody' }) }),
    'public-with-secret': () => post('/token', { ...machine, client_id: spa.clientId, client_secret: 'x' }),
    'no-secret': () => post('/token', { ...machine, client_id: service.clientId }),
    'two-secrets': () => post('/token', { ...machine, client_secret: 'x' }, SERVICE),
    'wrong-audience-in-assertion': () => assert({ aud: server.issuer.replace('http:', 'https:') }),
    'assertion-clock': () => assert({ exp: Math.floor(Date.now() / 1000) - 60 }),
    'assertion-key': async () => assert({}, 'unknown', (await generateKeyPair('ES256')).privateKey),
    'json-at-token': () =>
      send('/token', {
        ...{ method: 'POST', body: JSON.stringify(machine) },
        headers: { ...SERVICE, 'content-type': 'application/json' },
      }),
    'get-at-token': () => send('/token?grant_type=client_credentials', { headers: SERVICE }),
    'no-grant-type': () => post('/token', {}, SERVICE),
    'wrong-grant-type': () => post('/token', { grant_type: 'password' }, SERVICE),
    'grant-type-not-registered': () =>
      post('/token', { grant_type: 'refresh_token', refresh_token: 'x' }, SERVICE),
    'code-twice': async () => {
      const form = redemption(await codeFor());
      await fetch(`${server.issuer}/token`, { method: 'POST', body: defined(form), headers: OWN });
      return post('/token', form, OWN);
    },
    'unknown-code': () => redeem({ code: 'unknown' }),
    'wrong-verifier': () => redeem({ code_verifier: VERIFIER.toUpperCase() }),
    'no-verifier': () => redeem({ code_verifier: undefined }),
    'other-redirect-uri': () => redeem({ redirect_uri: `${ownApp.redirectUri}?x` }),
    'refresh-of-another': async () => {
      const { refresh_token } = await tokens();
      return post('/token', { grant_type: 'refresh_token', refresh_token, client_id: spa.clientId });
    },
    'refresh-adds-scope': async () => {
      const { refresh_token } = await tokens();
      return post('/token', { grant_type: 'refresh_token', refresh_token, scope: 'openid email' }, OWN);
    },
    'dpop-twice': () => prove({}, 2),
    'dpop-elsewhere': () => prove({ htu: `${server.issuer.replace('http:', 'https:')}/token` }),
    'dpop-clock': () => prove({ iat: Math.floor(Date.now() / 1000) - 3600 }),
    'no-dpop': async () => {
      const form = redemption(await codeFor({ client_id: 'bound' }), { client_id: 'bound' });
      return post('/token', form);
    },
    'too-large': () => post('/token', { ...machine, x: 'x'.repeat(60_000) }, SERVICE),
    'pushed-twice': pushedTwice,
    'wrong-access-token': () => send('/userinfo', { headers: { authorization: 'Bearer unknown' } }),
    'introspection-without-client': () => post('/introspect', { token: 'x' }),
    'device-not-registered': () => post('/device_authorization', { client_id: spa.clientId }),
    'wrong-user-code': enterUserCode,
    'post-logout-uri': () =>
      visit(
        `${server.issuer}/logout?client_id=${webApp.clientId}&post_logout_redirect_uri=https://elsewhere.test/`,
      ),
    'foreign-logout-hint': () => visit(`${server.issuer}/logout?id_token_hint=x`),
  };

  it('CL11 CL3 each is answered with a registered code, and says what to do', async () => {
    const wrong: string[] = [];
    for (const [id, make] of Object.entries(MADE)) {
      const told = await make();
      const expected: CommonError = COMMON_ERRORS[id as keyof typeof COMMON_ERRORS];
      const at = `${expected.at}: ${expected.cause}`;
      if (
        told.answer !== expected.answer ||
        told.error !== expected.error ||
        !told.says.includes(expected.says)
      )
        wrong.push(`${at}: ${told.answer} ${told.error} ${told.says.slice(0, 300)}`);
      // RFC 6749, 5.2: printable ASCII without quotation mark and backslash.
      if (told.answer !== 'page') expect(told.says, at).to.match(/^[\x20\x21\x23-\x5B\x5D-\x7E]+$/);
      // A page is read by people: no application reads its code.
      if (told.answer !== 'page') expect(REGISTERED, at).to.include(told.error);
    }
    expect(wrong, wrong.join('\n')).to.deep.equal([]);
    expect(Object.keys(MADE)).to.have.length.greaterThan(39);
  });

  it('CL11 what an attacker must not tell apart has one answer', async () => {
    const answers = async (ids: (keyof typeof COMMON_ERRORS)[]) =>
      new Set(await Promise.all(ids.map(async (id) => JSON.stringify(await MADE[id]()))));
    expect(
      await answers([
        'wrong-secret',
        'unknown-client-at-token',
        'public-with-secret',
        'no-secret',
        'assertion-key',
      ]),
    ).to.have.length(1);
    expect(
      await answers([
        'unknown-code',
        'wrong-verifier',
        'no-verifier',
        'other-redirect-uri',
        'refresh-of-another',
      ]),
    ).to.have.length(1);
  });
});
