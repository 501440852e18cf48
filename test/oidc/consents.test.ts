/** What a person has allowed an app, remembered with the account: with a browser without scripts, over HTTP. */
import { mock } from 'node:test';
import { expect } from 'chai';
import { fetchUserInfo, initiateDeviceAuthorization } from 'openid-client';
import { reclaimAccount } from '../../src/identity/accounts/reclaim-account.ts';
import type { ClientRecord } from '../../src/model/client.ts';
import {
  type AccountWorld,
  CHIEF,
  DOCTOR,
  MARA,
  PATIENT,
  pathOf,
  shown,
  startAccountWorld,
  type Visitor,
} from '../browser/account/account-world.ts';
import { nativeApp, ownApp, type TestClient, tvApp, webApp } from '../support/clients.ts';
import { asksForPassword, type RelyingParty, relyingParty } from '../support/relying-party.ts';
import type { Page } from '../support/web-session.ts';
import { authorizePath, Browser, openWorld } from './support.ts';

const API = 'https://api.test/records';
const HOUR = 3600;
const NAME = 'see your name';
const EMAIL = 'see your email address';
const PHONE = 'see your phone number';

describe('consent that is remembered with the account', () => {
  let world: AccountWorld;
  const parties = new Map<string, RelyingParty>();

  before(async () => {
    const resources = [{ identifier: API, scopes: ['records:read', 'records:write'], open: true }];
    const oidc = { rememberConsent: 'account', lifetimes: { consent: HOUR }, resources } as const;
    world = await startAccountWorld({ config: { oidc } });
  });
  after(() => world.server.close());
  afterEach(async () => {
    mock.timers.reset();
    for (const { login } of [MARA, DOCTOR, CHIEF]) {
      const { id } = await world.account(login);
      const { access } = world.server.running.identity;
      await access.endAll(id);
      await access.forgetConsents(id);
    }
  });

  async function partyOf(client: TestClient): Promise<RelyingParty> {
    const key = `${client.clientId} ${client.redirectUri}`;
    const known = parties.get(key) ?? (await relyingParty(world.server.issuer, client));
    parties.set(key, known);
    return known;
  }

  interface Arrival {
    readonly visitor: Visitor;
    /** Where the browser is: at the app (its address), or at a page of ours. */
    readonly at: Page | string;
    /** What the tokens are good for, once the browser is at the app. */
    finish(at?: Page | string): Promise<{ scope: string; claims: Record<string, unknown> }>;
  }

  /** As far as it goes without an answer about consent. Another browser each time, if none is given. */
  async function arrive(
    parameters: Record<string, string> = {},
    { visitor = world.visitor(), client = webApp, person = MARA } = {},
  ): Promise<Arrival> {
    const party = await partyOf(client);
    const started = await party.begin(parameters);
    const until = [client.redirectUri];
    let at = await visitor.session.open(started.url, until);
    if (typeof at !== 'string' && asksForPassword(at))
      at = await visitor.session.submit(at, person, { until });
    return {
      visitor,
      at,
      async finish(arrived = at) {
        if (typeof arrived !== 'string') throw new Error(`The browser is at a page:\n${arrived.body}`);
        const tokens = await party.finish(started, arrived);
        const sub = tokens.claims()?.sub ?? '';
        const claims = await fetchUserInfo(party.configuration, tokens.access_token, sub);
        return { scope: String(tokens.scope), claims };
      },
    };
  }

  const answer = ({ at, visitor }: Pick<Arrival, 'at' | 'visitor'>, decision: 'allow' | 'deny') => {
    const page = shown(at);
    const form = page.forms.find(({ fields }) => fields.decision === decision);
    if (form === undefined) throw new Error(`There is no ${decision} at ${page.url}.`);
    return visitor.session.submit(page, {}, { form, until: ['https://', 'http://127.0.0.1/callback'] });
  };

  async function allow(parameters?: Record<string, string>, options?: Parameters<typeof arrive>[1]) {
    const arrival = await arrive(parameters, options);
    const at = await answer(arrival, 'allow');
    return { ...arrival, at };
  }

  function asked(at: Page | string, client = 'Web App'): Page {
    const page = shown(at);
    expect(page.body).to.contain(`${client} asks for access`);
    return page;
  }

  const remembered = async ({ login }: { login: string }) =>
    world.server.running.oidc.accountAccess.listConsents((await world.account(login)).id);

  const events = async ({ login }: { login: string }) => {
    const subject = (await world.account(login)).id;
    const lines = await world.server.running.stores.audit.latest({ limit: 8, subject });
    return lines.map(({ event }) => event);
  };

  const errorOf = (at: Page | string) => new URL(String(at)).searchParams.get('error');

  it('is not asked for again in another browser, nor after signing out', async () => {
    const first = await allow();
    const { id } = await world.account(MARA.login);
    const { accountAccess } = world.server.running.oidc;
    const [session] = await accountAccess.listSessions(id);
    await accountAccess.endSession(id, session?.uid ?? '');
    expect(await accountAccess.listGrants(id)).to.deep.equal([]);
    for (const visitor of [first.visitor, world.visitor()]) {
      const { finish } = await arrive({}, { visitor });
      const { scope, claims } = await finish();
      expect(scope.split(' ')).to.have.members(['openid', 'profile', 'email']);
      expect(claims).to.include({ email: MARA.login, given_name: 'Mara' });
    }
    const lines = await world.server.running.stores.audit.latest({ limit: 20, subject: id });
    const input = lines.filter(({ event }) => event === 'consent.give');
    expect(input).to.have.length(1);
    expect(input[0]).to.deep.include({ clientId: 'web-app', organization: 'default', outcome: 'success' });
    expect(input[0]?.detail).to.deep.include({ client: 'web-app', scopes: ['openid', 'profile', 'email'] });
  });

  it('is the consent of one person to one client', async () => {
    await allow();
    asked((await arrive({}, { person: DOCTOR })).at);
    const other = { ...webApp, clientId: 'web-app-post', secret: 'Gravel-Comet-Ribbon-22' } as const;
    const client = { ...other, redirectUri: 'https://post.test/callback', secretIn: 'body' } as const;
    asked((await arrive({}, { client })).at, 'Web App with a posted secret');
  });

  it('asks only for what is new, and grants no more than is asked for now', async () => {
    await allow({ scope: 'openid email' });
    const more = await arrive({ scope: 'openid email phone' });
    expect(asked(more.at).body).to.contain(PHONE).and.not.contain(EMAIL).and.not.contain('know who you are');
    expect(errorOf(await answer(more, 'deny'))).to.equal('access_denied');
    expect((await (await arrive({ scope: 'openid email' })).finish()).scope).to.equal('openid email');
    const both = await arrive({ scope: 'openid email phone' });
    const { scope } = await both.finish(await answer(both, 'allow'));
    expect(scope.split(' ')).to.have.members(['openid', 'email', 'phone']);
    const less = await (await arrive({ scope: 'openid' })).finish();
    expect(less.scope).to.equal('openid');
    expect(less.claims).to.not.have.any.keys('email', 'phone_number');
    const all = await (await arrive({ scope: 'openid email phone' })).finish();
    expect(all.scope.split(' ')).to.have.members(['openid', 'email', 'phone']);
  });

  it('remembers single claims and the scopes of each API as well', async () => {
    const input = { scope: 'openid', claims: JSON.stringify({ userinfo: { given_name: null } }) };
    await allow(input);
    expect((await (await arrive(input)).finish()).claims).to.include({ given_name: 'Mara' });
    asked((await arrive({ ...input, claims: JSON.stringify({ userinfo: { family_name: null } }) })).at);

    const read = { scope: 'openid records:read', resource: API };
    await allow(read);
    expect((await arrive(read)).at).to.be.a('string');
    const write = asked((await arrive({ ...read, scope: 'openid records:read records:write' })).at);
    expect(write.body).to.contain('records:write').and.not.contain('records:read');
    const [consent] = await remembered(MARA);
    expect(consent?.scopes).to.have.members(['openid', 'records:read']);
    expect(consent?.claims).to.deep.equal(['given_name']);
  });

  it('is asked for with prompt=consent all the same, in full', async () => {
    const offline = { scope: 'openid profile offline_access', prompt: 'consent' };
    await allow(offline);
    const again = await arrive(offline);
    expect(asked(again.at).body).to.contain(NAME).and.contain('keep access while you are away');
    expect((await again.finish(await answer(again, 'allow'))).scope).to.contain('offline_access');
    // Without prompt=consent the provider leaves offline_access out, whatever was allowed before.
    const silent = await (await arrive({ scope: offline.scope })).finish();
    expect(silent.scope.split(' ')).to.have.members(['openid', 'profile']);
  });

  it('lets prompt=none through, with what was allowed', async () => {
    await allow();
    const visitor = world.visitor();
    await arrive({}, { visitor, client: ownApp });
    const none = (scope: string) => arrive({ scope, prompt: 'none' }, { visitor });
    expect(errorOf((await none('openid email phone')).at)).to.equal('consent_required');
    expect((await (await none('openid email')).finish()).claims).to.include({ email: MARA.login });
  });

  it('shows a native app its page each time, since anybody may claim to be one', async () => {
    await allow({}, { client: nativeApp });
    const again = await arrive({}, { client: nativeApp });
    expect(asked(again.at, 'Native App').body).to.contain(NAME);
    expect(await remembered(MARA)).to.deep.equal([]);
  });

  it('does not count for a device, whose code may come from somebody else', async () => {
    const { clients } = world.server.running.stores;
    const web = (await clients.byId('web-app')) as ClientRecord;
    const grant_types = [
      'authorization_code',
      'refresh_token',
      'urn:ietf:params:oauth:grant-type:device_code',
    ];
    await clients.put({ ...web, clientId: 'both', metadata: { ...web.metadata, grant_types } });
    const both = { ...webApp, clientId: 'both' };
    await allow({}, { client: both });
    for (const client of [both, tvApp]) {
      const party = await partyOf(client);
      const { user_code } = await initiateDeviceAuthorization(party.configuration, {
        scope: 'openid profile',
      });
      const { session } = world.visitor();
      let page = shown(await session.open(`${world.server.issuer}/device`));
      page = shown(await session.submit(page, { user_code }));
      expect(page.body).to.contain(user_code);
      page = shown(await session.submit(page, {}));
      page = shown(await session.submit(page, MARA));
      expect(asked(page, client === tvApp ? 'TV App' : 'Web App').body).to.contain(NAME);
      expect(shown(await session.submit(page, {})).body).to.contain('Your device is connected');
    }
    expect((await remembered(MARA)).map(({ clientId }) => clientId)).to.deep.equal(['both']);
  });

  it('asks nobody for our own apps, and remembers nothing of them', async () => {
    for (const prompt of ['login', 'consent']) {
      const own = await arrive({ prompt }, { client: ownApp });
      if (typeof own.at !== 'string') await answer({ ...own, at: asked(own.at, 'Own App') }, 'allow');
    }
    expect(await remembered(MARA)).to.deep.equal([]);
  });

  it('stands on my account and in the download, and asks again once it is ended there', async () => {
    const { visitor } = await allow({ scope: 'openid phone' });
    const { id } = await world.account(MARA.login);
    await world.server.running.identity.access.endAll(id);
    await visitor.signIn(MARA);
    const page = await visitor.open('/account/access');
    expect(page.body).to.contain('<strong>Web App</strong>').and.contain(PHONE);
    expect(page.body).to.contain('It will not ask you again when you next sign in to it.');
    const file = await (await visitor.session.request(`${world.server.url}/account/data.json`)).json();
    const [consent] = (file as { consents: Record<string, unknown>[] }).consents;
    expect(consent).to.deep.include({ client_id: 'web-app', name: 'Web App', scopes: ['openid', 'phone'] });
    expect(consent).to.include.keys('given_at', 'expires_at', 'claims');
    // K2: another person's form ends nothing of it.
    const doctor = await allow({}, { person: DOCTOR });
    const own = await doctor.visitor.open('/account/access');
    await doctor.visitor.send(own, '/account/access/grant', { grant: '', client: 'web-app' });
    expect(await remembered(DOCTOR)).to.have.length(0);
    expect(await remembered(MARA)).to.have.length(1);

    const done = await visitor.send(page, '/account/access/grant');
    expect(done.url).to.contain('done=grant-ended');
    expect(done.body).to.contain('No app has access.');
    expect(await events(MARA)).to.include('consent.end');
    asked((await arrive({ scope: 'openid phone' })).at);
    const twice = await visitor.send(page, '/account/access/grant');
    expect(twice.url).to.not.contain('done');
  });

  it('is forgotten with the access that is ended, in every browser', async () => {
    const { visitor } = await allow();
    const page = await visitor.open('/account/access');
    expect(page.body.match(/<strong>Web App<\/strong>/g)).to.have.length(1);
    expect(page.body).to.not.contain('you will not be asked');
    const done = await visitor.send(page, '/account/access/grant');
    expect(done.body).to.contain('No app has access.');
    expect(await events(MARA)).to.include.members(['grant.end', 'consent.end']);
    for (const browser of [visitor, world.visitor()]) asked((await arrive({}, { visitor: browser })).at);
    expect(errorOf((await arrive({ prompt: 'none' }, { visitor })).at)).to.equal('consent_required');
  });

  it('outlives a change of the password', async () => {
    const { visitor } = await allow({}, { person: CHIEF });
    const password = 'Nine-Calm-Herons-Wade-31';
    const page = await visitor.open('/account/password');
    const done = await visitor.send(page, '/account/password', { current: CHIEF.password, password });
    expect(done.url).to.contain('done=password-changed');
    expect((await arrive({}, { person: { ...CHIEF, password } })).at).to.be.a('string');
  });

  it('S4 goes with the account', async () => {
    const { visitor } = await allow({}, { person: PATIENT });
    const { id } = await world.account(PATIENT.login);
    const { oidcRecords } = world.server.running.stores;
    expect(await oidcRecords.listByAccount('Consent', id, new Date())).to.have.length(1);
    const page = await visitor.open('/account/delete');
    const done = await visitor.send(page, '/account/delete', { password: PATIENT.password });
    expect(pathOf(done)).to.equal('/account/deleted');
    expect(await oidcRecords.listByAccount('Consent', id, new Date())).to.deep.equal([]);
  });

  it('F5 of a squatter is nothing to the owner of the address', async () => {
    await allow({}, { person: DOCTOR });
    expect(await remembered(DOCTOR)).to.have.length(1);
    const account = { ...(await world.account(DOCTOR.login)), emailVerified: false };
    await reclaimAccount(world.server.running.identity, { account });
    expect(await remembered(DOCTOR)).to.deep.equal([]);
  });

  it('is worth nothing to another client that has the id later', async () => {
    const { clients } = world.server.running.stores;
    const web = (await clients.byId('web-app')) as ClientRecord;
    const put = (redirectUri: string) =>
      clients.put({
        ...{ ...web, clientId: 'passing' },
        metadata: { ...web.metadata, redirect_uris: [redirectUri] },
      });
    await put('https://first.test/callback');
    const first = { ...webApp, clientId: 'passing', redirectUri: 'https://first.test/callback' };
    await allow({}, { client: first });
    await clients.remove('passing');
    await put('https://second.test/callback');
    // A node knows a client for five seconds.
    mock.timers.enable({ apis: ['Date'], now: Date.now() + 6_000 });
    const second = { ...first, redirectUri: 'https://second.test/callback' };
    expect(await remembered(MARA)).to.deep.equal([]);
    asked((await arrive({}, { client: second })).at);
    await allow({ scope: 'openid' }, { client: second });
    expect((await remembered(MARA)).map(({ scopes }) => scopes)).to.deep.equal([['openid']]);
  });

  it('ends oidc.lifetimes.consent after it was last given', async () => {
    const now = Date.now();
    const goTo = (seconds: number) => {
      mock.timers.reset();
      mock.timers.enable({ apis: ['Date'], now: now + seconds * 1000 });
    };
    goTo(0);
    await allow({ scope: 'openid email' });
    goTo(HOUR - 60);
    await allow({ scope: 'openid email phone' });
    goTo(2 * HOUR - 120);
    expect((await arrive({ scope: 'openid email phone' })).at).to.be.a('string');
    goTo(2 * HOUR);
    const page = asked((await arrive({ scope: 'openid email phone' })).at);
    expect(page.body).to.contain(EMAIL).and.contain(PHONE);
  });
});

describe('consent and the browser session', () => {
  it('is asked for in each browser where only sessions remember it', async () => {
    const world = await openWorld({ oidc: { rememberConsent: 'session' } });
    const ask = async (browser: Browser) =>
      (await browser.open(authorizePath({ client_id: 'third-party' }))).url.searchParams.has('code');
    const first = new Browser(world, 'nora');
    expect(await ask(first)).to.equal(true);
    const second = new Browser(world, 'nora');
    second.consent = undefined;
    expect(await ask(second)).to.equal(false);
    first.consent = undefined;
    expect(await ask(first)).to.equal(true);
    expect(await world.oidc.accountAccess.listConsents('nora')).to.deep.equal([]);
    expect(world.audit.map(({ event }) => event)).to.not.include('consent.give');
    await world.close();
  });

  it('F5 is not remembered when the session ends in the same moment', async () => {
    const world = await openWorld();
    const oidcRecords = world.stores.oidcRecords as { put: typeof world.stores.oidcRecords.put };
    const { put } = world.stores.oidcRecords;
    oidcRecords.put = async (kind, id, oidcRecord) => {
      await put(kind, id, oidcRecord);
      // Between the two steps of taking an address back: sessions have ended, consents were forgotten before this one.
      if (kind === 'Consent') await world.oidc.access.endAll('otto');
    };
    await new Browser(world, 'otto').open(authorizePath({ client_id: 'third-party' }));
    expect(await world.oidc.accountAccess.listConsents('otto')).to.deep.equal([]);
    oidcRecords.put = put;
    await new Browser(world, 'otto').open(authorizePath({ client_id: 'third-party' }));
    expect(await world.oidc.accountAccess.listConsents('otto')).to.have.length(1);
    await world.close();
  });
});
