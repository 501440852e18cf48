import { expect } from 'chai';
import { passkeysOf } from '../../src/model/factors.ts';
import {
  type Channel,
  freshBrowser,
  headingOf,
  MARA,
  openChannel,
} from '../browser/sign-in-methods/sign-in-server.ts';
import { createAuthenticator, passkeyOptions } from '../support/authenticator.ts';
import { AT_A_HOST, givePasskey } from '../support/passkeys.ts';
import { startTestServer, type TestServer } from '../support/server.ts';
import { sharedServers } from '../support/servers.ts';

const LONG_AGO = new Date('2020-01-01T00:00:00Z');

describe('signing in with a passkey', () => {
  let channel: Channel;
  before(async () => {
    channel = await openChannel({ dialects: [], config: AT_A_HOST });
  });
  after(() => channel.close());

  const person = async (name: string, more: Parameters<typeof givePasskey>[2] | undefined = undefined) => {
    const account = await channel.make({ email: `${name}@clinic.test`, emailVerified: true });
    const device = more ?? createAuthenticator({ origin: channel.server.issuer });
    await givePasskey(channel.server, account.id, device);
    return { account, device };
  };

  it('N1 N15 is offered on the first page, signs in alone, and the ID token says with what', async () => {
    const { account, device } = await person('alone');
    const visit = await channel.begin();
    expect(visit.page.body).to.contain('autocomplete="username webauthn"');
    expect(visit.page.body).to.match(
      /<script src="\/assets\/simplewebauthn\.js\?v=[\w-]+" integrity="sha384-[\w+/=]{64}" defer>/,
    );
    await visit.press('/passkey', { response: device.get(passkeyOptions(visit.page.body)) });
    expect(await visit.claims()).to.deep.include({ sub: account.id, amr: ['hwk', 'user', 'mfa'] });
  });

  it('N1 is good for one browser, one interaction and one try', async () => {
    const { device } = await person('once');
    const mine = await channel.begin();
    const options = passkeyOptions(mine.page.body);
    // Another browser, or another tab of this one, has an interaction of its own.
    for (const session of [freshBrowser(), mine.session]) {
      const other = await channel.begin({}, session);
      expect(passkeyOptions(other.page.body)).to.not.equal(options);
      await other.press('/passkey', { response: device.get(options) });
      expect(other.page.body).to.contain('not the newest');
    }
    // A try spends the challenge, whatever becomes of it, and going back brings none back.
    await mine.press('/passkey', { response: 'nonsense' });
    expect(mine.page.status).to.equal(400);
    expect(mine.page.body).to.contain('was not accepted');
    const second = passkeyOptions(mine.page.body);
    expect(second).to.not.equal(options);
    await mine.press('/passkey', { response: device.get(options) });
    expect(mine.page.body).to.contain('not the newest');
    const third = mine.page;
    const response = device.get(passkeyOptions(third.body));
    await mine.press('/passkey', { response });
    expect(mine.at).to.be.a('string');
    // Sent once more it signs no one in: the sign-in is over, here and in a new one.
    const anew = await channel.begin({ prompt: 'login' });
    await anew.press('/passkey', { response });
    expect(anew.page.body).to.contain('not the newest');
  });

  it('N1 of twenty answers sent at once, the sign-in has one, and no count goes back', async () => {
    const { account, device } = await person('double');
    const visit = await channel.begin();
    const { page, session } = visit;
    const response = device.get(passkeyOptions(page.body));
    const form = page.forms.find(({ action }) => action.endsWith('/passkey'));
    if (form === undefined) expect.fail('There is no form for a passkey.');
    const until = [channel.party.client.redirectUri];
    await Promise.all(Array.from({ length: 20 }, () => session.submit(page, { response }, { form, until })));
    const lines = await channel.server.running.stores.audit.latest({ limit: 100, subject: account.id });
    expect(
      lines.map(({ event, outcome }) => `${event} ${outcome}`).filter((line) => line.startsWith('sign-in')),
    ).to.deep.equal(['sign-in success']);
  });

  it('says what is wrong, and leaves every other way open', async () => {
    const { device, account } = await person('wrong');
    const stranger = createAuthenticator({ origin: channel.server.issuer });
    stranger.create(JSON.stringify({ challenge: 'AAAA', rp: { id: 'localhost' }, user: { id: 'AAAA' } }));
    const visit = await channel.begin();
    const words: [string, (options: string) => string][] = [
      ['There is no account here for this passkey', (options) => stranger.get(options)],
      ['did not check that it is you', (options) => device.get(options, { verified: false })],
      ['was not accepted', (options) => device.get(options, { origin: 'http://localhost' })],
      ['was not accepted', (options) => device.get(options, { counter: 0 })],
    ];
    for (const [text, answer] of words) {
      await visit.press('/passkey', { response: answer(passkeyOptions(visit.page.body)) });
      expect(visit.page.body).to.contain(text);
      expect(visit.page.body).to.contain('/code/send').and.contain('name="password"');
      expect(visit.page.body).to.not.contain('aria-invalid');
    }
    await visit.press('/passkey', { response: device.get(passkeyOptions(visit.page.body)) });
    expect(await visit.claims()).to.include({ sub: account.id });
  });

  it('is offered neither where the organization has other ways only, nor at an IP address', async () => {
    const { stores } = channel.server.running;
    const organization = await stores.organizations.byId('default');
    if (organization === undefined) expect.fail('There is no organization.');
    const { device } = await person('elsewhere');
    const before = await channel.begin();
    await stores.organizations.put({
      ...organization,
      branding: { ...organization.branding, ways: ['password'] },
    });
    channel.later(120);
    const visit = await channel.begin();
    expect(visit.page.body).to.not.contain('passkey').and.not.contain('webauthn');
    await before.press('/passkey', { response: device.get(passkeyOptions(before.page.body)) });
    expect(before.page.status).to.equal(403);
    await stores.organizations.put(organization);
    channel.later(120);
    expect((await channel.begin()).page.body).to.contain('passkey');
  });

  it('N7 what a policy offers for a person to set up is all there is, and never nothing', async () => {
    const away = await openChannel({ dialects: [] });
    const cases = [
      // Passkeys do not work at an IP address.
      { at: away, offered: ['passkey'], passkey: false, app: true },
      { at: channel, offered: ['passkey'], passkey: true, app: false },
      { at: channel, offered: ['app'], passkey: false, app: true },
    ] as const;
    try {
      for (const { at, offered, passkey, app } of cases) {
        const { organizations, accounts } = at.server.running.stores;
        const organization = (await organizations.byId('default')) ?? expect.fail();
        const since = LONG_AGO.toISOString();
        const mara = (await at.account(MARA.login)) ?? expect.fail();
        await accounts.update({ ...mara, createdAt: LONG_AGO });
        await organizations.put({ ...organization, factors: { require: 'required', since, offered } });
        at.later(120);
        const visit = await (await at.begin()).press('/sign-in', MARA);
        expect(headingOf(visit.page)).to.equal('Protect your sign-in');
        const actions = visit.page.forms.map(({ action }) => action);
        const has = (step: string) => actions.some((action) => action.endsWith(step));
        expect({ passkey: has('/factor/passkey'), app: has('/factor/app/new') }).to.deep.equal({
          passkey,
          app,
        });
        // A form that the page does not have sets nothing up.
        const [form] = visit.page.forms;
        const uid = /\/interaction\/[\w-]+/.exec(visit.page.url)?.[0] ?? '';
        for (const step of ['passkey', 'app/new'].filter((one) => !has(`/factor/${one}`))) {
          const action = `${at.server.issuer}${uid}/factor/${step}`;
          const still = await visit.session.submit(visit.page, {}, form && { form: { ...form, action } });
          expect(typeof still === 'string' ? still : headingOf(still)).to.equal('Protect your sign-in');
        }
        await organizations.put(organization);
        at.later(120);
      }
    } finally {
      await away.close();
    }
  });
});

describe('passkeys of two servers on one store', function () {
  this.timeout(60_000);
  for (const kind of ['embedded', 'distributed'] as const) {
    it(`N1 N2 N3 ${kind}: one is set up on the way, signs in, and of two uses of one count one is accepted`, async function () {
      this.timeout(300_000);
      const servers = kind === 'embedded' ? undefined : await sharedServers();
      if (kind === 'distributed' && servers === undefined) return this.skip();
      const store = servers && {
        ...{ kind, mongo: { url: servers.mongo.url, database: `passkeys-${crypto.randomUUID()}` } },
        redis: { url: servers.redis.url },
      };
      const one = await openChannel({ dialects: [], config: { ...AT_A_HOST, ...(store && { store }) } });
      const { issuer, folder } = one.server;
      const other = await startTestServer({
        ...{ dialects: [], folder },
        config: { issuer, ...(store && { store }) },
      }).catch(async (error: unknown) => {
        await one.close();
        throw error;
      });
      try {
        const { organizations, audit } = one.server.running.stores;
        const organization = (await organizations.byId('default')) ?? expect.fail();
        const factors = { require: 'required', since: LONG_AGO.toISOString(), graceDays: 0 } as const;
        await organizations.put({ ...organization, factors });
        one.later(120);
        const device = createAuthenticator({ origin: issuer });
        const setUp = await (await one.begin()).press('/sign-in', MARA);
        const response = device.create(passkeyOptions(setUp.page.body, 'creation'));
        await (await setUp.press('/factor/passkey', { response })).press('/factor/go-on');
        expect((await setUp.claims()).amr).to.have.members(['pwd', 'hwk', 'user', 'mfa']);
        for (let round = 1; round <= 5; round += 1) {
          const visits = await Promise.all([one.begin(), one.begin()]);
          const ends = await Promise.all(
            visits.map(async ({ page, session }, at) => {
              const form = page.forms.find(({ action }) => action.endsWith('/passkey')) ?? expect.fail();
              const action = at === 0 ? form.action : form.action.replace(issuer, origin(other));
              const sent = device.get(passkeyOptions(page.body), { counter: 100 + round });
              const options = { form: { ...form, action }, until: [one.party.client.redirectUri] };
              return session.submit(page, { response: sent }, options);
            }),
          );
          expect(ends.filter((end) => typeof end === 'string')).to.have.length(1);
        }
        const lines = await audit.latest({ limit: 100, event: 'sign-in' });
        expect(lines.filter(({ detail }) => detail?.why === 'counter-back')).to.have.length(5);
        const mara = (await one.account(MARA.login)) ?? expect.fail();
        expect(passkeysOf(mara).map(({ counter }) => counter)).to.deep.equal([105]);
      } finally {
        await other.close({ keepStore: true });
        await one.close();
      }
    });
  }

  const origin = ({ url }: TestServer) => url.replace('127.0.0.1', 'localhost');
});
