/** The way to the account pages, and the sign-in of the last minutes that some of them want. */
import { mock } from 'node:test';
import { expect } from 'chai';
import { setStatus } from '../../../src/identity/accounts/set-status.ts';
import { openWebSession } from '../../support/web-session.ts';
import {
  type AccountWorld,
  alertOf,
  FRESH,
  formTo,
  MARA,
  pathOf,
  shown,
  startAccountWorld,
} from './account-world.ts';

describe('signing in at the account pages', () => {
  let world: AccountWorld;

  before(async () => {
    world = await startAccountWorld();
  });
  afterEach(() => mock.timers.reset());
  after(() => world.server.close());

  it('leads through the sign-in page of the server, without a question for consent, and back to the page', async () => {
    const visitor = world.visitor();
    const page = await visitor.open('/account/password');
    expect(pathOf(page)).to.match(/^\/interaction\/[\w-]+$/);
    expect(page.body).to.contain('to continue to My account');
    const there = shown(await visitor.session.submit(page, MARA, { form: formTo(page, /\/sign-in$/) }));
    expect(pathOf(there)).to.equal('/account/password');
    expect(there.body).to.contain('<h1>Password</h1>');
  });

  it('is called what it is called in the language of the browser, and has no way back but out', async () => {
    for (const [language, name, stop] of [
      ['en', 'to continue to My account', 'Cancel'],
      ['de', 'um mit „Mein Konto“ fortzufahren', 'Abbrechen'],
      ['es', 'para continuar con «Mi cuenta»', 'Cancelar'],
    ] as const) {
      const session = openWebSession({ headers: { 'accept-language': language } });
      const page = shown(await session.open(`${world.server.url}/account`));
      expect(page.body).to.contain(name).and.contain(`<button class="quiet">${stop}</button>`);
    }
  });

  it('C1 counts failures with those of every other channel', async () => {
    const visitor = world.visitor('203.0.113.30');
    let page = await visitor.open('/account');
    for (let i = 0; i < 10; i += 1) {
      const wrong = { login: 'patient@clinic.test', password: 'Not-The-Password-11' };
      page = shown(await visitor.session.submit(page, wrong, { form: formTo(page, /\/sign-in$/) }));
      expect(page.status).to.equal(400);
    }
    const dialect = await fetch(`${world.server.url}/api/therapist/v1/sign-in`, {
      method: 'POST',
      headers: { 'content-type': 'application/json', 'x-forwarded-for': '203.0.113.30' },
      body: JSON.stringify({ email: 'patient@clinic.test', password: 'Juniper-Cargo-Mirror-29' }),
    });
    expect(dialect.status).to.equal(429);
  });

  for (const state of [
    'https://evil.test/',
    '//evil.test',
    '/\\evil.test',
    '/account/../logout',
    'javascript:1',
  ]) {
    it(`C5 never comes back to ${state}`, async () => {
      const visitor = await world.signedIn(MARA);
      const query = new URLSearchParams({ state, code: 'x' });
      const reply = await visitor.session.request(`${world.server.url}/account/signed-in?${query}`);
      expect(reply.status).to.equal(303);
      expect(reply.headers.get('location')).to.equal('/account');
    });
  }

  it('leads nowhere in a circle: without a session it says so', async () => {
    const page = await world.visitor().open('/account/signed-in?code=x');
    expect(page.status).to.equal(403);
    expect(page.body).to.contain('You are not signed in');
  });

  it('lets the person go back without signing in', async () => {
    const visitor = world.visitor();
    const page = await visitor.open('/account');
    const back = shown(await visitor.session.submit(page, {}, { form: formTo(page, /\/cancel$/) }));
    expect(pathOf(back)).to.equal('/');
  });

  it('gets codes that nobody can redeem', async () => {
    const visitor = world.visitor();
    const page = await visitor.open('/account');
    const until = [`${world.server.url}/account/signed-in`];
    const form = formTo(page, /\/sign-in$/);
    const callback = await visitor.session.submit(page, MARA, { form, until });
    const answer = new URL(String(callback)).searchParams;
    const reply = await fetch(`${world.server.url}/token`, {
      method: 'POST',
      body: new URLSearchParams({
        grant_type: 'authorization_code',
        client_id: 'portico-account:default',
        code: answer.get('code') ?? '',
        redirect_uri: `${world.server.url}/account/signed-in`,
        code_verifier: 'a'.repeat(43),
      }),
    });
    expect(reply.status).to.equal(400);
    expect(await reply.json()).to.include({ error: 'invalid_grant' });
  });

  it('sends the codes of its client to no other address, and knows it for no organization that is not there', async () => {
    for (const [client_id, redirect_uri] of [
      ['portico-account:default', 'https://evil.test/'],
      ['portico-account:nowhere', `${world.server.url}/account/signed-in`],
    ] as const) {
      const query = new URLSearchParams({ client_id, redirect_uri, response_type: 'code', scope: 'openid' });
      const reply = await fetch(`${world.server.url}/authorize?${query}`, { redirect: 'manual' });
      expect(reply.status).to.equal(400);
    }
  });

  it("signs in at the organization that is named, or whose host it is, and at nobody else's", async () => {
    const lea = { login: 'lea@x.test', password: 'Marble-Orchid-Signal-33' };
    for (const [path, host] of [
      ['/account?organization=north_clinic', ''],
      ['/account', 'north-clinic.portal.test'],
    ] as const) {
      const visitor = world.visitor();
      const query = await visitor.session.request(world.server.url + path, {
        headers: { 'x-forwarded-host': host },
      });
      const location = new URL(query.headers.get('location') ?? '', world.server.url);
      expect(location.searchParams.get('client_id')).to.equal('portico-account:north_clinic');
      expect(location.searchParams.get('redirect_uri')).to.equal(`${world.server.url}/account/signed-in`);
      const page = shown(await visitor.session.open(location.href));
      const home = shown(await visitor.session.submit(page, lea, { form: formTo(page, /\/sign-in$/) }));
      expect(home.body).to.contain('Lea Moss');
    }
    const page = await world.visitor().open('/account');
    expect(alertOf(page)).to.equal('');
  });

  it('S4 ends at once with a blocked account', async () => {
    const visitor = await world.signedIn({
      login: 'patient@clinic.test',
      password: 'Juniper-Cargo-Mirror-29',
    });
    const { id } = await world.account('patient@clinic.test');
    // The session of an account that is not active is no session while that lasts.
    for (const [status, path] of [
      ['inactive', /^\/interaction\//],
      ['active', /^\/account$/],
    ] as const) {
      await world.change('patient@clinic.test', (account) => ({ ...account, status }));
      expect(pathOf(await visitor.open('/account')), status).to.match(path);
    }
    await setStatus(world.server.running.identity, { accountId: id, status: 'blocked' });
    expect(pathOf(await visitor.open('/account'))).to.match(/^\/interaction\//);
  });

  it('F7 wants the sign-in again after ten minutes, under a new session id, and goes on in the same session', async () => {
    const visitor = await world.signedIn(MARA);
    const cookie = async () =>
      (await visitor.session.jar.getCookies(world.server.url)).find(({ key }) => /session$/.test(key))?.value;
    const before = await cookie();
    mock.timers.enable({ apis: ['Date'], now: Date.now() + 11 * 60_000 });
    const page = await visitor.open('/account/delete');
    expect(pathOf(page)).to.match(/^\/interaction\//);
    expect(page.body).to.contain('Confirm it’s you to continue').and.to.contain(`value="${MARA.login}"`);
    const there = shown(await visitor.session.submit(page, MARA, { form: formTo(page, /\/sign-in$/) }));
    expect(pathOf(there)).to.equal('/account/delete');
    expect(await cookie())
      .to.be.a('string')
      .and.not.equal(before);
    const { id } = await world.account(MARA.login);
    const sessions = await world.server.running.oidc.accountAccess.listSessions(id);
    const access = await visitor.open('/account/access');
    expect(sessions.filter(({ uid }) => access.body.includes(uid))).to.have.length(sessions.length);
    expect(access.body.match(/This browser/g)).to.have.length(1);
  });

  for (const path of [
    '/account/password/first',
    '/account/sign-ins/unlink',
    '/account/keys',
    '/account/address',
    '/account/delete',
    '/account/delete/code',
  ]) {
    it(`F7 refuses ${path} to a sign-in that is older than ten minutes`, async () => {
      const visitor = world.visitor();
      const page = await visitor.signIn(MARA);
      const profile = await visitor.open('/account/profile');
      const token = formTo(profile, '/account/profile').fields.form_token ?? '';
      mock.timers.enable({ apis: ['Date'], now: Date.now() + 11 * 60_000 });
      const form = { action: world.server.url + path, method: 'post' as const, fields: {}, names: [] };
      const reply = shown(
        await visitor.session.submit(page, { form_token: token, email: 'new@clinic.test' }, { form }),
      );
      expect(pathOf(reply)).to.match(/^\/interaction\//);
    });
  }

  it('F7 refuses the download of everything to a sign-in that is older than ten minutes', async () => {
    const visitor = await world.signedIn(MARA);
    mock.timers.enable({ apis: ['Date'], now: Date.now() + 11 * 60_000 });
    expect(pathOf(await visitor.open('/account/data.json'))).to.match(/^\/interaction\//);
  });

  it('F7 a session that a token of single sign-on opened is no recent sign-in, however new', async () => {
    const { url, running } = world.server;
    const created = await fetch(`${url}/api_v3/users/sso.json`, {
      method: 'POST',
      headers: { 'x-accountcode': 'clinicdev', 'x-apikey': '6f1d2c3b4a5968778695a4b3c2d1e0f1' },
      body: new URLSearchParams({ first_name: 'Kim', last_name: 'Ray', type: '200', code: 'account-pages' }),
    });
    const { data } = (await created.json()) as { data: { token: { token: string } } };
    const visitor = world.visitor();
    const opened = await visitor.session.request(`${url}/auth?sso_token=${data.token.token}`);
    expect(opened.status).to.equal(303);
    const page = await visitor.open('/account/profile');
    expect(pathOf(page)).to.equal('/account/profile');
    const form = { ...formTo(page, '/account/profile'), action: `${url}/account/password/first` };
    const reply = shown(await visitor.session.submit(page, { password: FRESH }, { form }));
    expect(pathOf(reply)).to.match(/^\/interaction\//);
    for (const path of ['/account/delete', '/account/data.json'])
      expect(pathOf(await visitor.open(path))).to.match(/^\/interaction\//);
    const accounts = await running.stores.accounts.page('clinicdev', { limit: 100 });
    const kim = accounts.find(({ claims }) => claims.given_name === 'Kim');
    expect(kim).to.be.an('object').and.not.have.property('passwordHash');
  });
});
