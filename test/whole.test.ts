/**
 * The whole server as its callers see it together: an application that uses openid-client and walks the
 * pages as a person does, and a legacy client of VSee. Both end in the same kind of grant.
 */
import { expect } from 'chai';
import { createRemoteJWKSet, jwtVerify } from 'jose';
import * as oidc from 'openid-client';
import {
  basicAuth,
  clinicdevApp,
  nativeApp,
  ownApp,
  recordsApi,
  service,
  strangerApi,
  type TestClient,
  webApp,
  webAppPost,
} from './support/clients.ts';
import { asksForPassword, relyingParty, signIn, walk } from './support/relying-party.ts';
import { startTestServer, type TestServer } from './support/server.ts';
import { openWebSession, type Page, type WebSession } from './support/web-session.ts';

const mara = { login: 'mara@clinic.test', password: 'Harbour-Lantern-Quartz-41' };
const pat = { login: 'pat@x.test', password: 'Willow-Compass-Ember-87' };
const OFFLINE = { scope: 'openid profile email offline_access', prompt: 'consent' };

let server: TestServer;

before(async () => {
  server = await startTestServer();
});

after(() => server.close());

async function post(path: string, client: TestClient, form: Record<string, string>): Promise<Response> {
  return fetch(`${server.url}${path}`, {
    method: 'POST',
    headers: { authorization: basicAuth(client) },
    body: new URLSearchParams(form),
  });
}

async function introspect(token: string, client: TestClient): Promise<Record<string, unknown>> {
  return (await (await post('/introspect', client, { token })).json()) as Record<string, unknown>;
}

describe('an application with openid-client', () => {
  it('signs a person in through the pages: code with PKCE, state, nonce, iss, and an RS256 ID token', async () => {
    const { tokens, callback, started } = await signIn(await relyingParty(server.issuer), mara);
    expect(new URL(callback).searchParams.get('iss')).to.equal(server.issuer);
    const claims = tokens.claims();
    expect(claims).to.include({ iss: server.issuer, aud: 'web-app', nonce: started.nonce });
    const keys = createRemoteJWKSet(new URL(`${server.issuer}/jwks`));
    const { protectedHeader } = await jwtVerify(tokens.id_token ?? '', keys, { audience: 'web-app' });
    expect(protectedHeader.alg).to.equal('RS256');
  });

  it('reads the claims of the scopes it was given at userinfo, and no others', async () => {
    const party = await relyingParty(server.issuer);
    const { tokens } = await signIn(party, { ...mara, parameters: { scope: 'openid email' } });
    const info = await oidc.fetchUserInfo(
      party.configuration,
      tokens.access_token,
      tokens.claims()?.sub ?? '',
    );
    expect(info).to.include({ email: 'mara@clinic.test', email_verified: true });
    expect(info).to.not.have.any.keys('name', 'given_name', 'phone_number', 'address', 'roles');
  });

  for (const client of [webApp, webAppPost, nativeApp, ownApp]) {
    it(`refreshes as ${client.clientId}, and an old token that comes again in time gets the one successor`, async () => {
      const party = await relyingParty(server.issuer, client);
      const { tokens } = await signIn(party, { ...mara, parameters: OFFLINE });
      const token = tokens.refresh_token ?? '';
      const first = await oidc.refreshTokenGrant(party.configuration, token);
      const again = await oidc.refreshTokenGrant(party.configuration, token);
      expect(first.refresh_token).to.be.a('string').and.not.equal(token);
      expect(again.refresh_token).to.equal(first.refresh_token);
      expect(again.access_token).to.equal(first.access_token);
    });
  }

  it('introspects and revokes its own token; another client does neither', async () => {
    const party = await relyingParty(server.issuer);
    const { tokens } = await signIn(party, mara);
    const token = tokens.access_token;
    expect(await introspect(token, webApp)).to.include({ active: true, client_id: 'web-app' });
    expect(await introspect(token, strangerApi)).to.deep.equal({ active: false });
    expect((await post('/revoke', strangerApi, { token })).status).to.equal(400);
    expect(await introspect(token, webApp)).to.include({ active: true });
    await oidc.tokenRevocation(party.configuration, token);
    expect(await introspect(token, webApp)).to.deep.equal({ active: false });
  });

  it('gets a token for itself with client credentials, which no userinfo takes', async () => {
    const party = await relyingParty(server.issuer, service);
    const tokens = await oidc.clientCredentialsGrant(party.configuration);
    expect(tokens.access_token).to.be.a('string');
    expect(tokens.refresh_token).to.equal(undefined);
    const answer = await fetch(`${server.url}/userinfo`, {
      headers: { authorization: `Bearer ${tokens.access_token}` },
    });
    expect(answer.status).to.equal(401);
  });

  it('pushes its request first and sends the browser with the handle alone', async () => {
    const party = await relyingParty(server.issuer);
    const started = await party.begin();
    const { searchParams } = new URL(started.url);
    const pushed = await oidc.buildAuthorizationUrlWithPAR(party.configuration, searchParams);
    expect([...pushed.searchParams.keys()].sort()).to.deep.equal(['client_id', 'request_uri']);
    const callback = await walk(openWebSession(), pushed.href, webApp.redirectUri, mara);
    expect((await party.finish(started, callback)).access_token).to.be.a('string');
  });

  it('binds its tokens to a key with DPoP: userinfo wants the proof', async () => {
    const party = await relyingParty(server.issuer);
    const handle = oidc.getDPoPHandle(party.configuration, await oidc.randomDPoPKeyPair());
    const started = await party.begin();
    const callback = await walk(openWebSession(), started.url, webApp.redirectUri, mara);
    const tokens = await oidc.authorizationCodeGrant(
      party.configuration,
      new URL(callback),
      { pkceCodeVerifier: started.verifier, expectedState: started.state, expectedNonce: started.nonce },
      undefined,
      { DPoP: handle },
    );
    expect(tokens.token_type).to.equal('dpop');
    const sub = tokens.claims()?.sub ?? '';
    const info = await oidc.fetchUserInfo(party.configuration, tokens.access_token, sub, { DPoP: handle });
    expect(info.sub).to.equal(sub);
    const bare = await fetch(`${server.url}/userinfo`, {
      headers: { authorization: `Bearer ${tokens.access_token}` },
    });
    expect(bare.status).to.equal(401);
  });

  it('is told nothing new by a second request of the same browser, and the person is not asked again', async () => {
    const party = await relyingParty(server.issuer);
    const { tokens, session } = await signIn(party, mara);
    const silent = await party.begin({ prompt: 'none' });
    const callback = await session.open(silent.url, [webApp.redirectUri]);
    const again = await party.finish(silent, String(callback));
    expect(again.claims()?.sub).to.equal(tokens.claims()?.sub);
  });

  it('signs the person out: the browser asks, comes back, and the next silent request is login_required', async () => {
    const party = await relyingParty(server.issuer);
    const { tokens, session } = await signIn(party, mara);
    const url = oidc.buildEndSessionUrl(party.configuration, {
      id_token_hint: tokens.id_token ?? '',
      post_logout_redirect_uri: webApp.postLogoutRedirectUri ?? '',
      state: 'bye',
    });
    const until = [webApp.postLogoutRedirectUri ?? ''];
    let at = await session.open(url.href, until);
    if (typeof at !== 'string') at = await session.submit(at, { logout: 'yes' }, { until });
    expect(at).to.equal(`${webApp.postLogoutRedirectUri}?state=bye`);
    expect(await silentOutcome(session, party.begin)).to.equal('login_required');
  });

  it('of another organization takes that browser for signed out', async () => {
    const { session } = await signIn(await relyingParty(server.issuer), mara);
    const other = await relyingParty(server.issuer, clinicdevApp);
    expect(await silentOutcome(session, other.begin)).to.equal('login_required');
  });

  it('of another organization cannot sign the person in with the right password', async () => {
    const party = await relyingParty(server.issuer, clinicdevApp);
    const session = openWebSession();
    const page = (await session.open((await party.begin()).url)) as Page;
    const refused = (await session.submit(page, mara)) as Page;
    expect(asksForPassword(refused)).to.equal(true);
  });
});

/** `code`, or the error, of a silent request. */
async function silentOutcome(
  session: WebSession,
  begin: (extra: Record<string, string>) => Promise<{ url: string }>,
): Promise<string> {
  const { url } = await begin({ prompt: 'none' });
  const at = await session.open(url, [new URL(url).searchParams.get('redirect_uri') ?? '']);
  const query = new URL(String(at)).searchParams;
  return query.get('error') ?? (query.has('code') ? 'code' : 'neither');
}

describe('a legacy client and an application together', () => {
  async function vsee(path: string, headers: Record<string, string>, form?: Record<string, string>) {
    const answer = await fetch(`${server.url}/api_v3${path}`, {
      headers,
      ...(form === undefined ? {} : { method: 'POST', body: new URLSearchParams(form) }),
    });
    return { status: answer.status, body: (await answer.json()) as unknown };
  }

  async function vseeToken(): Promise<string> {
    const form = { username: pat.login, password: pat.password };
    const { body } = await vsee('/users/login.json', { 'x-accountcode': 'clinicdev' }, form);
    return (body as { data: { token: string } }).data.token;
  }

  async function ssoToken(code: string): Promise<string> {
    const headers = { 'x-accountcode': 'clinicdev', 'x-apikey': '6f1d2c3b4a5968778695a4b3c2d1e0f1' };
    const form = { first_name: 'Kim', last_name: 'Ray', type: '200', code };
    const { body } = await vsee('/users/sso.json', headers, form);
    return (body as { data: { token: { token: string } } }).data.token.token;
  }

  it("a VSee token is active for the resource server, dies at its revocation, and then gets VSee's own 401", async () => {
    const token = await vseeToken();
    expect(await introspect(token, recordsApi)).to.include({ active: true, client_id: 'vsee-legacy' });
    expect((await post('/revoke', recordsApi, { token })).status).to.equal(200);
    expect(await introspect(token, recordsApi)).to.deep.equal({ active: false });
    const { status, body } = await vsee('/me.json', { 'x-apitoken': token });
    expect({ status, body }).to.deep.equal({
      status: 401,
      body: { code: 401, message: 'Invalid or expired token.' },
    });
  });

  it("T3 a VSee token opens no userinfo, and an application's token no VSee", async () => {
    const answer = await fetch(`${server.url}/userinfo`, {
      headers: { authorization: `Bearer ${await vseeToken()}` },
    });
    expect(answer.status).to.equal(401);
    const { tokens } = await signIn(await relyingParty(server.issuer, clinicdevApp), pat);
    expect((await vsee('/me', { 'x-apitoken': tokens.access_token })).status).to.equal(401);
  });

  it('both sign the same account in: one subject', async () => {
    const { tokens } = await signIn(await relyingParty(server.issuer, clinicdevApp), pat);
    expect(await introspect(await vseeToken(), recordsApi)).to.include({ sub: tokens.claims()?.sub });
  });

  it('the single sign-on token signs the browser in: a client of that organization gets a code silently, another login_required', async () => {
    const session = openWebSession();
    const token = await ssoToken('whole-test-1');
    const answer = await session.request(`${server.url}/auth?sso_token=${token}&next=/u/clinic`);
    expect(answer.status).to.equal(303);
    const own = await relyingParty(server.issuer, { ...clinicdevApp });
    const consent = await own.begin({ scope: 'openid' });
    const asked = await session.open(consent.url, [clinicdevApp.redirectUri]);
    // The person is known; a third-party client still needs the consent, once.
    expect(typeof asked === 'string' || !asksForPassword(asked)).to.equal(true);
    if (typeof asked !== 'string') await session.submit(asked, {}, { until: [clinicdevApp.redirectUri] });
    const silent = (extra: Record<string, string>) => own.begin({ scope: 'openid', ...extra });
    expect(await silentOutcome(session, silent)).to.equal('code');
    const other = await relyingParty(server.issuer, ownApp);
    expect(await silentOutcome(session, other.begin)).to.equal('login_required');
  });

  it('S1 signing in through single sign-on gives the browser a new session id', async () => {
    const session = openWebSession();
    const ids: (string | undefined)[] = [];
    for (const code of ['whole-test-2', 'whole-test-3']) {
      await session.request(`${server.url}/auth?sso_token=${await ssoToken(code)}&next=/`);
      const cookies = await session.jar.getCookies(server.url);
      ids.push(cookies.find(({ key }) => key.includes('session') && !key.endsWith('.sig'))?.value);
    }
    expect(ids[0]).to.be.a('string');
    expect(ids[1]).to.be.a('string').and.not.equal(ids[0]);
  });

  it('C1 failures at a dialect and at the hosted page are one count', async () => {
    const address = { 'x-forwarded-for': '203.0.113.41' };
    for (let tries = 0; tries < 6; tries += 1) {
      const form = { username: pat.login, password: 'not-the-password' };
      await vsee('/users/login', { 'x-accountcode': 'clinicdev', ...address }, form);
    }
    const party = await relyingParty(server.issuer, clinicdevApp);
    const session = openWebSession({ headers: address });
    let page = (await session.open((await party.begin()).url)) as Page;
    for (let tries = 0; tries < 4; tries += 1) {
      page = (await session.submit(page, { login: pat.login, password: 'not-the-password' })) as Page;
    }
    const refused = (await session.submit(page, pat, { until: [clinicdevApp.redirectUri] })) as Page;
    expect(refused.status).to.equal(429);
    const form = { username: pat.login, password: pat.password };
    const legacy = await vsee('/users/login', { 'x-accountcode': 'clinicdev', ...address }, form);
    expect(legacy.status).to.equal(429);
  });

  it('L2 nothing that was secret in all this is in the log', () => {
    const log = server.logText();
    expect(log.length).to.be.greaterThan(1000);
    for (const secret of [
      mara.password,
      pat.password,
      '6f1d2c3b4a5968778695a4b3c2d1e0f1',
      webApp.secret ?? '',
    ]) {
      expect(log).to.not.include(secret);
    }
    expect(log).to.not.match(/eyJ[\w-]+\.eyJ/);
  });
});
