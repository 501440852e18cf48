/** Passwords, linked sign-ins, sessions and apps on the account pages. */
import { expect } from 'chai';
import { createApiKey } from '../../../src/identity/accounts/api-keys.ts';
import { setPassword } from '../../../src/identity/self-service/set-password.ts';
import { linkIdentity } from '../../../src/identity/upstream/link-identity.ts';
import { type RelyingParty, relyingParty, signIn } from '../../support/relying-party.ts';
import { openWebSession, type Page } from '../../support/web-session.ts';
import {
  type AccountWorld,
  alertOf,
  CHIEF,
  CODES,
  DOCTOR,
  FRESH,
  formTo,
  MARA,
  PATIENT,
  pathOf,
  shown,
  startAccountWorld,
  type Visitor,
} from './account-world.ts';

const GOOGLE = { issuer: 'https://accounts.google.com', subject: '1088' };

describe('the password page', () => {
  let world: AccountWorld;
  let party: RelyingParty;

  before(async () => {
    world = await startAccountWorld();
    party = await relyingParty(world.server.issuer);
  });
  after(() => world.server.close());

  it('B9 a change offers to delete the API keys, and leaves them where the person does not want it', async () => {
    const visitor = await world.signedIn(CHIEF, '203.0.113.90');
    const box = /name="api-keys"/;
    expect((await visitor.open('/account/password')).body, 'without keys').to.not.match(box);
    const { id } = await world.account(CHIEF.login);
    const form = { alphabet: 'abcdef0123456789', length: 40 };
    const { identity, stores } = world.server.running;
    const terms = { organization: 'default', vendor: 'avycenna', scopes: ['admin'], id: form, key: form };
    for (const name of ['one', 'two']) await createApiKey(identity, { ...terms, accountId: id, name });
    const change = async (current: string, fresh: string, more: Record<string, string>) => {
      const page = await visitor.open('/account/password');
      expect(page.body).to.match(box).and.to.contain('Also delete my 2 API keys');
      return visitor.send(page, '/account/password', { current, password: fresh, ...more });
    };
    const keys = async () => (await stores.apiKeys.listByAccount(id)).length;
    expect((await change(CHIEF.password, FRESH, {})).url).to.contain('done=password-changed');
    expect(await keys()).to.equal(2);
    await change('Not-The-Password-11', CHIEF.password, { 'api-keys': 'end' });
    expect(await keys(), 'a refused change ends nothing').to.equal(2);
    expect((await change(FRESH, CHIEF.password, { 'api-keys': 'end' })).url).to.contain('password-changed');
    expect(await keys()).to.equal(0);
    const lines = await stores.audit.latest({ limit: 5, subject: id });
    expect(lines.find(({ event }) => event === 'api-key.delete')?.detail).to.include({ keys: 2 });
  });

  it('W5 wants the present password, ends every other session and refresh token, and tells the owner', async () => {
    const [here, there] = [world.visitor(), world.visitor()];
    const scope = 'openid offline_access';
    const app = await signIn(party, {
      ...MARA,
      session: there.session,
      parameters: { scope, prompt: 'consent' },
    });
    await there.open('/account');
    await here.signIn(MARA);
    const page = await here.open('/account/password');
    const wrong = await here.send(page, '/account/password', {
      current: 'Not-The-Password-11',
      password: FRESH,
    });
    expect(wrong.status).to.equal(400);
    expect(alertOf(wrong)).to.contain('Wrong password');
    expect(pathOf(await there.open('/account'))).to.equal('/account');
    // Nor is it replaced like the first one of somebody who has none.
    const asFirst = {
      ...formTo(page, '/account/password'),
      action: `${world.server.url}/account/password/first`,
    };
    const { passwordHash } = await world.account(MARA.login);
    await here.session.submit(page, { password: FRESH }, { form: asFirst });
    expect((await world.account(MARA.login)).passwordHash).to.equal(passwordHash);
    const done = await here.send(page, '/account/password', { current: MARA.password, password: FRESH });
    expect(done.url).to.contain('done=password-changed');
    expect(pathOf(await here.open('/account'))).to.equal('/account');
    expect(pathOf(await there.open('/account'))).to.match(/^\/interaction\//);
    const refreshed = await fetch(`${world.server.url}/token`, {
      method: 'POST',
      headers: {
        authorization: `Basic ${Buffer.from('web-app:Timber-Violet-Anchor-63').toString('base64')}`,
      },
      body: new URLSearchParams({
        grant_type: 'refresh_token',
        refresh_token: app.tokens.refresh_token ?? '',
      }),
    });
    expect(await refreshed.json()).to.include({ error: 'invalid_grant' });
    expect((await world.server.mail.take(MARA.login)).subject).to.equal('Your password was changed');
    await world.visitor().signIn({ login: MARA.login, password: FRESH });
    const { id } = await world.account(MARA.login);
    const lines = await world.server.running.stores.audit.latest({ limit: 10, subject: id });
    expect(lines.map(({ event }) => event)).to.include.members(['password.set', 'password.check']);
  });

  it('W1 W2 says what is wrong with the new one, at no cost of a try', async () => {
    const visitor = await world.signedIn(DOCTOR);
    const page = await visitor.open('/account/password');
    for (let i = 0; i < 12; i += 1) {
      const short = await visitor.send(page, '/account/password', { current: 'x', password: 'short' });
      expect(short.status).to.equal(400);
      expect(alertOf(short)).to.contain('at least 12 characters');
    }
    const common = await visitor.send(page, '/account/password', {
      ...{ current: 'x' },
      password: 'Password1234',
    });
    expect(alertOf(common)).to.contain('easy to guess');
  });

  it('C1 counts wrong present passwords like failed sign-ins', async () => {
    const visitor = await world.signedIn(CHIEF, '203.0.113.61');
    const page = await visitor.open('/account/password');
    const statuses: number[] = [];
    for (let i = 0; i < 11; i += 1) {
      const wrong = { current: `Wrong-Wrong-Wrong-${i}`, password: FRESH };
      statuses.push((await visitor.send(page, '/account/password', wrong)).status);
    }
    expect(statuses).to.deep.equal([...Array.from({ length: 10 }, () => 400), 429]);
    const right = { current: CHIEF.password, password: FRESH };
    expect((await visitor.send(page, '/account/password', right)).status).to.equal(429);
  });

  it('sets a first password after a recent sign-in, and none where there is one', async () => {
    const visitor = world.visitor();
    await signInByCode(world, visitor, CODES);
    const page = await visitor.open('/account/password');
    expect(page.body).to.contain('You have no password yet');
    const done = await visitor.send(page, '/account/password/first', { password: FRESH });
    expect(done.url).to.contain('done=password-set');
    await world.visitor().signIn({ login: CODES, password: FRESH });
    const before = (await world.account(CODES)).passwordHash;
    await visitor.send(page, '/account/password/first', { password: 'Another-Long-Password-3' });
    expect((await world.account(CODES)).passwordHash).to.equal(before);
  });
});

/** By the one-time code that the sign-in page offers. */
async function signInByCode(world: AccountWorld, visitor: Visitor, email: string): Promise<void> {
  const page = await visitor.open('/account');
  const form = formTo(page, /\/sign-in$/);
  const action = form.action.replace(/sign-in$/, 'code/send');
  const asked = shown(await visitor.session.submit(page, { login: email }, { form: { ...form, action } }));
  const enter = formTo(asked, /\/code$/);
  const home = shown(
    await visitor.session.submit(asked, { code: await world.codeFor(email) }, { form: enter }),
  );
  expect(pathOf(home)).to.equal('/account');
}

describe('the page of linked sign-ins', () => {
  let world: AccountWorld;

  before(async () => {
    world = await startAccountWorld();
  });
  after(() => world.server.close());

  const link = async (email: string, subject = GOOGLE.subject) => {
    const { id } = await world.account(email);
    await linkIdentity(world.server.running.identity, { accountId: id, issuer: GOOGLE.issuer, subject });
    return id;
  };
  const linksOf = (id: string) => world.server.running.stores.identities.listByAccount(id);

  it('lists them and unlinks one', async () => {
    const id = await link(MARA.login, 'mara');
    const visitor = await world.signedIn(MARA);
    const page = await visitor.open('/account/sign-ins');
    expect(page.body).to.contain('Google');
    const done = await visitor.send(page, '/account/sign-ins/unlink');
    expect(done.url).to.contain('done=unlinked');
    expect(await linksOf(id)).to.deep.equal([]);
    const lines = await world.server.running.stores.audit.latest({ limit: 3, subject: id });
    expect(lines.map(({ event }) => event)).to.include('identity.unlink');
    // Pressed twice: it is gone, which was wanted.
    expect(pathOf(await visitor.send(page, '/account/sign-ins/unlink'))).to.equal('/account/sign-ins');
  });

  it('F7 never drops the last way in', async () => {
    const visitor = await world.signedIn(DOCTOR);
    const id = await link(DOCTOR.login, 'doctor');
    const page = await visitor.open('/account/sign-ins');
    await world.change(DOCTOR.login, ({ passwordHash: _gone, ...account }) => ({
      ...account,
      emailVerified: false,
    }));
    const refused = await visitor.send(page, '/account/sign-ins/unlink');
    expect(refused.status).to.equal(409);
    expect(alertOf(refused)).to.contain('only sign-in method');
    expect(await linksOf(id)).to.have.length(1);
    expect(refused.forms.some(({ action }) => action.endsWith('/unlink'))).to.equal(false);
    // Nor beside one of an upstream that is not configured any more.
    const off = { accountId: id, issuer: 'https://off.test', subject: 'doctor' };
    await linkIdentity(world.server.running.identity, off);
    expect((await visitor.send(page, '/account/sign-ins/unlink')).status).to.equal(409);
    expect(await linksOf(id)).to.have.length(2);
  });

  it("F7 K2 unlinks nobody else's", async () => {
    const id = await link(CHIEF.login, 'chief');
    await link('n.okafor@ward.test', 'okafor');
    const visitor = await world.signedIn({
      login: 'n.okafor@ward.test',
      password: 'Copper-Meadow-Falcon-72',
    });
    const page = await visitor.open('/account/sign-ins');
    await visitor.send(page, '/account/sign-ins/unlink', { subject: 'chief' });
    expect(await linksOf(id)).to.have.length(1);
  });
});

describe('the page of devices and apps', () => {
  let world: AccountWorld;
  let party: RelyingParty;

  before(async () => {
    world = await startAccountWorld();
    party = await relyingParty(world.server.issuer);
  });
  after(() => world.server.close());

  const formWith = (page: Page, action: string, value: string) => {
    const form = page.forms.find(
      (one) => one.action.endsWith(action) && Object.values(one.fields).includes(value),
    );
    if (form === undefined) throw new Error(`No form of ${value}.`);
    return form;
  };

  it('S4 signs another browser out at once, with what its apps got, and leaves this one', async () => {
    const [mine, lost] = [world.visitor(), world.visitor()];
    await lost.signIn(MARA);
    const app = await signIn(await relyingParty(world.server.issuer), { ...MARA, session: lost.session });
    const asked = async () =>
      fetch(`${world.server.url}/userinfo`, {
        headers: { authorization: `Bearer ${app.tokens.access_token}` },
      });
    expect((await asked()).status).to.equal(200);
    const { accountAccess } = world.server.running.oidc;
    const { id } = await world.account(MARA.login);
    const [theirs] = await accountAccess.listSessions(id);
    await mine.signIn(MARA);
    const page = await mine.open('/account/access');
    const form = formWith(page, '/access/session', theirs?.uid ?? '');
    const done = shown(await mine.session.submit(page, {}, { form }));
    expect(done.url).to.contain('done=session-ended');
    expect(pathOf(await lost.open('/account'))).to.match(/^\/interaction\//);
    expect((await asked()).status).to.equal(401);
    expect(pathOf(await mine.open('/account'))).to.equal('/account');
    const lines = await world.server.running.stores.audit.latest({ limit: 3, subject: id });
    expect(lines.map(({ event }) => event)).to.include('session.end');
  });

  it('says of each browser which it is, and keeps nothing else of what the browser says about itself', async () => {
    const agents: readonly [string, string][] = [
      ['Firefox on Linux', 'Mozilla/5.0 (X11; Linux x86_64; rv:140.0) Gecko/20100101 Firefox/140.0'],
      [
        'Chrome on Android',
        'Mozilla/5.0 (Linux; Android 10; K) AppleWebKit/537.36 (KHTML, like Gecko) Chrome/139.0.0.0 Mobile Safari/537.36',
      ],
      ['Browser', 'Harbour-Unknown/7 <svg onload=alert(1)>'],
    ];
    const { id } = await world.account(DOCTOR.login);
    await world.server.running.identity.access.endAll(id);
    let shownLast: Page | undefined;
    for (const [name, agent] of agents) {
      const session = openWebSession({ headers: { 'user-agent': agent } });
      await signIn(party, { ...DOCTOR, session });
      shownLast = shown(await session.open(`${world.server.url}/account/access`));
      expect(shownLast.body, name).to.match(
        new RegExp(`<strong>${name}</strong>\\s*<span>This browser</span>`),
      );
    }
    const body = shownLast?.body ?? '';
    for (const [name] of agents) expect(body).to.contain(`<strong>${name}</strong>`);
    expect(body.match(/This browser/g)).to.have.length(1);
    expect(body).to.not.match(/Harbour-Unknown|onload|KHTML|Gecko|Mozilla/);
    const sessions = await world.server.running.oidc.accountAccess.listSessions(id);
    expect(sessions.map(({ browser }) => browser)).to.have.deep.members([
      { browser: 'Firefox', system: 'Linux' },
      { browser: 'Chrome', system: 'Android' },
      undefined,
    ]);
    await world.server.running.identity.access.endAll(id);
  });

  it("ends an app's access with its tokens", async () => {
    const visitor = world.visitor();
    const parameters = { scope: 'openid profile offline_access', prompt: 'consent' };
    const app = await signIn(party, { ...PATIENT, session: visitor.session, parameters });
    const userinfo = () =>
      fetch(`${world.server.url}/userinfo`, {
        headers: { authorization: `Bearer ${app.tokens.access_token}` },
      });
    expect((await userinfo()).status).to.equal(200);
    const page = await visitor.open('/account/access');
    expect(page.body).to.contain('Web App').and.to.contain('see your name').and.not.contain('My account:');
    const done = await visitor.send(page, '/account/access/grant');
    expect(done.url).to.contain('done=grant-ended');
    expect(done.body).to.contain('No app has access.');
    expect((await userinfo()).status).to.equal(401);
  });

  it("K2 S4 ends nobody else's session or grant", async () => {
    const [mine, theirs] = [world.visitor(), world.visitor()];
    await signIn(party, { ...DOCTOR, session: theirs.session });
    const { id } = await world.account(DOCTOR.login);
    const { accountAccess } = world.server.running.oidc;
    const [session] = await accountAccess.listSessions(id);
    const [grant] = await accountAccess.listGrants(id);
    await mine.signIn(MARA);
    const page = await mine.open('/account/access');
    const own = formTo(page, '/account/access/session');
    for (const [action, fields] of [
      ['session', { session: session?.uid ?? '' }],
      ['grant', { grant: grant?.grantId ?? '' }],
    ] as const) {
      const form = { ...own, action: `${world.server.url}/account/access/${action}` };
      const reply = shown(await mine.session.submit(page, fields, { form }));
      expect(reply.url).to.not.contain('done');
    }
    expect(await accountAccess.listSessions(id)).to.have.length(1);
    expect((await accountAccess.listGrants(id)).length).to.be.above(0);
  });
});

describe('the forms of the account pages', () => {
  let world: AccountWorld;

  before(async () => {
    world = await startAccountWorld();
  });
  after(() => world.server.close());

  const ACTIONS = [
    ...['profile', 'address', 'address/confirm', 'address/code', 'password', 'password/first'],
    ...['sign-ins/unlink', 'access/session', 'access/grant', 'keys', 'keys/delete', 'delete', 'delete/code'],
  ].map((path) => `/account/${path}`);

  it('S5 F7 take no post without the token of this browser and account, and none from another site', async () => {
    const [mara, doctor] = [world.visitor(), world.visitor()];
    await mara.signIn(MARA);
    await doctor.signIn(DOCTOR);
    const token = async (visitor: Visitor) =>
      formTo(await visitor.open('/account/profile'), '/account/profile').fields.form_token ?? '';
    const [own, foreign] = [await token(mara), await token(doctor)];
    const before = await world.account(MARA.login);
    for (const action of ACTIONS) {
      for (const [form_token, headers] of [
        [undefined, {}],
        ['', {}],
        [foreign, {}],
        [own, { 'sec-fetch-site': 'cross-site' }],
        [own, { 'sec-fetch-site': 'same-site' }],
        [own, { origin: 'https://evil.test' }],
        [own, { origin: 'null' }],
      ] as const) {
        const reply = await mara.session.request(world.server.url + action, {
          method: 'POST',
          headers,
          body: new URLSearchParams({
            ...(form_token !== undefined && { form_token }),
            password: MARA.password,
          }),
        });
        expect(reply.status, `${action} ${form_token} ${JSON.stringify(headers)}`).to.equal(403);
      }
    }
    expect(await world.account(MARA.login)).to.deep.equal(before);
  });

  it('S5 are made for one account: after another one signed in here, an old page changes nothing', async () => {
    const visitor = await world.signedIn(MARA);
    const old = await visitor.open('/account/profile');
    const { id } = await world.account(MARA.login);
    const { accountAccess } = world.server.running.oidc;
    for (const { uid } of await accountAccess.listSessions(id)) await accountAccess.endSession(id, uid);
    await visitor.signIn(DOCTOR);
    const reply = await visitor.send(old, '/account/profile', { name: 'Mara was here' });
    expect(reply.status).to.equal(403);
    expect((await world.account(DOCTOR.login)).claims.name).to.equal('Dr. Ana Reis');
  });

  it('C7 answer no GET where something is changed, and no page to who is not signed in', async () => {
    const visitor = world.visitor();
    for (const action of [...ACTIONS, '/account/data.json']) {
      const reply = await visitor.session.request(world.server.url + action);
      expect(reply.status, action).to.be.oneOf([303, 404, 405]);
      if (reply.status === 303) expect(reply.headers.get('location')).to.match(/^\/authorize\?/);
    }
  });

  it('H1 S6 S7 are kept by nobody, in no frame, and run no script', async () => {
    const visitor = await world.signedIn(MARA);
    for (const path of [
      '',
      '/profile',
      '/address',
      '/password',
      '/sign-ins',
      '/access',
      '/keys',
      '/data',
      '/delete',
    ]) {
      const { headers, body, status } = await visitor.open(`/account${path}`);
      expect(status, path).to.equal(200);
      expect(headers.get('cache-control')).to.equal('no-store');
      expect(headers.get('content-security-policy'))
        .to.contain("default-src 'none'")
        .and.contain("frame-ancestors 'none'")
        .and.not.contain('unsafe');
      expect(body).to.not.match(/<script(?! src="\/assets\/show-password\.js\?)|\son\w+=|\sstyle=/i);
      // A profile holds every language and time zone, to be chosen from.
      expect(Buffer.byteLength(body)).to.be.below(path === '/profile' ? 40_000 : 12_000);
    }
  });

  it('R4 X1 a password that was set elsewhere meanwhile signs this browser out', async () => {
    const visitor = await world.signedIn(MARA);
    const page = await visitor.open('/account/profile');
    const { id } = await world.account(MARA.login);
    await setPassword(world.server.running.identity, { accountId: id, password: FRESH, minimum: 12 });
    expect(pathOf(await visitor.send(page, '/account/profile', { name: 'late' }))).to.match(
      /^\/interaction\//,
    );
  });
});
