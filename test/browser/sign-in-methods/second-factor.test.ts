/** N7, N8, N15: a second factor where the account has one or a policy requires one, and browsers that are remembered. */
import { expect } from 'chai';
import { refreshTokenGrant } from 'openid-client';
import { deleteAccount } from '../../../src/identity/accounts/delete-account.ts';
import { setPassword } from '../../../src/identity/self-service/set-password.ts';
import type { AccountRecord } from '../../../src/model/account.ts';
import type { FactorPolicy } from '../../../src/model/factors.ts';
import { type Authenticator, createAuthenticator, passkeyOptions } from '../../support/authenticator.ts';
import { giveApp, shownBy } from '../../support/authenticator-app.ts';
import { AT_A_HOST, givePasskey } from '../../support/passkeys.ts';
import { type Channel, freshBrowser, headingOf, openChannel, type Visit } from './sign-in-server.ts';

const STEP_UP = 'urn:portico:acr:stepup';
const PHR = 'urn:portico:acr:phr';
const PASSWORD = 'Harbour-Lantern-Quartz-41';
const CONFIRM = 'Confirm it’s you';
const LONG_AGO = new Date('2020-01-01T00:00:00Z');

describe('a second factor', () => {
  let channel: Channel;
  let passwordHash: string;
  before(async () => {
    channel = await openChannel({ dialects: [], config: AT_A_HOST });
    passwordHash = (await channel.account('mara@clinic.test'))?.passwordHash ?? '';
  });
  beforeEach(() => channel.later(1000));
  after(() => channel.close());

  const login = ({ email = '' }: AccountRecord) => ({ login: email, password: PASSWORD });
  const person = (name: string, more: Partial<AccountRecord> = {}) =>
    channel.make({
      ...{ email: `${name}@clinic.test`, emailVerified: true, passwordHash, createdAt: LONG_AGO },
      ...more,
    });
  const withPasskey = async (name: string) => {
    const account = await person(name);
    const device = createAuthenticator({ origin: channel.server.issuer });
    await givePasskey(channel.server, account.id, device);
    return { account, device };
  };
  const confirm = (visit: Visit, device: Authenticator, fields: Record<string, string> = {}) =>
    visit.press('/passkey', { response: device.get(passkeyOptions(visit.page.body)), ...fields });
  const error = ({ at }: Visit) => new URL(String(at)).searchParams.get('error');
  const policy = async (factors: FactorPolicy | undefined) => {
    const { organizations } = channel.server.running.stores;
    const { factors: _before, ...organization } = (await organizations.byId('default')) ?? expect.fail();
    await organizations.put({ ...organization, ...(factors && { factors }) });
    // Organizations are read every few seconds.
    channel.later(10);
  };

  it('N7 N15 is asked of an account that has one, after every first proof', async () => {
    const { account, device } = await withPasskey('every-way');
    const byPassword = await (await channel.begin()).press('/sign-in', login(account));
    expect(headingOf(byPassword.page)).to.equal(CONFIRM);
    await confirm(byPassword, device);
    const claims = await byPassword.claims();
    expect(claims).to.include({ sub: account.id, acr: PHR });
    expect(claims.amr).to.have.members(['pwd', 'hwk', 'user', 'mfa']);

    const byCode = await (await channel.begin()).press('/code/send', { login: account.email ?? '' });
    await byCode.press('/code', { code: await byCode.code(account.email ?? '') });
    expect(headingOf(byCode.page)).to.equal(CONFIRM);
    // A code by email is the first proof once more, and no second one.
    await byCode.press('/another', { to: 'account' });
    await byCode.press('/sign-in', login(account));
    expect(headingOf(byCode.page)).to.equal(CONFIRM);
    expect(byCode.page.body).not.to.contain('/code/send');
    // Nor is it with the password: what an app is told of is the account's own factor.
    const strong = await (await channel.begin({ acr_values: STEP_UP })).press('/sign-in', login(account));
    expect(headingOf(strong.page)).to.equal(CONFIRM);
    expect(strong.page.body).not.to.contain('/code/send').and.not.contain('remember-device');
  });

  it('N7 is not told of before the first proof', async () => {
    const { account } = await withPasskey('hidden');
    const { email: other } = await person('without');
    const wrong = async (email = '') => {
      const visit = await channel.begin();
      await visit.press('/sign-in', { login: email, password: 'Wrong-Password-11' });
      return visit.page.body.replaceAll(email, '').replace(/interaction\/[\w-]+|[\w-]{40,}/g, '');
    };
    expect(await wrong(account.email)).to.equal(await wrong(other));
  });

  it('N7 ends no session of before, until its grace period is over', async () => {
    const account = await person('sessions');
    const visit = await (await channel.begin({ scope: 'openid offline_access' })).press(
      '/sign-in',
      login(account),
    );
    const tokens = await channel.party.finish(visit.started, String(visit.at));
    await givePasskey(channel.server, account.id, createAuthenticator({ origin: channel.server.issuer }));
    const again = () => channel.begin({ prompt: 'none' }, visit.session);
    // The provider's own way and the fast path.
    const ways = [{}, { scope: 'openid' }];
    const refresh = async (token: string, more: Record<string, string>) => {
      try {
        const next = await refreshTokenGrant(channel.party.configuration, token, more);
        return { token: String(next.refresh_token), error: undefined };
      } catch (refused) {
        return { token, error: Object(refused).error };
      }
    };
    expect(error(await again())).to.equal(null);
    let { token } = await refresh(String(tokens.refresh_token), {});
    expect(token).to.not.equal(tokens.refresh_token);
    await policy({ graceDays: 0 });
    expect(error(await again())).to.equal('interaction_required');
    for (const way of ways) expect((await refresh(token, way)).error).to.equal('invalid_grant');
    const asked = await channel.begin({}, visit.session);
    expect(headingOf(asked.page)).to.equal(CONFIRM);
    // It was refused, and not used up.
    await policy(undefined);
    for (const way of ways) {
      const next = await refresh(token, way);
      expect(next.error).to.equal(undefined);
      token = next.token;
    }
  });

  it('N7 a policy asks the people whom it means, when their grace period is over', async () => {
    const now = new Date();
    const since = LONG_AGO.toISOString();
    const [doctor, guest] = [await person('doctor', { roles: ['doctor'] }), await person('guest')];
    const fresh = await person('fresh', { roles: ['doctor'], createdAt: now });
    const visits = await Promise.all(
      [doctor, guest, fresh].map(async (account) =>
        (await channel.begin()).press('/sign-in', login(account)),
      ),
    );
    const outcomes = async () =>
      Promise.all(visits.map(async ({ session }) => error(await channel.begin({ prompt: 'none' }, session))));
    expect(await outcomes()).to.deep.equal([null, null, null]);
    await policy({ require: 'required-for-roles', roles: ['doctor'], since });
    expect(await outcomes()).to.deep.equal(['interaction_required', null, null]);
    await policy({ require: 'required', since, graceDays: 0 });
    expect(await outcomes()).to.deep.equal(Array(3).fill('interaction_required'));
    await policy({ require: 'required', since: now.toISOString() });
    expect(await outcomes()).to.deep.equal([null, null, null]);
    await policy(undefined);
  });

  it('N7 is set up on the way: put off in the grace period, and needed to get through after it', async () => {
    const account = await person('on-the-way');
    const begin = async () => (await channel.begin()).press('/sign-in', login(account));
    const kept = await begin();
    expect(kept.at).to.be.a('string');
    const since = new Date();
    await policy({ require: 'required', since: since.toISOString() });
    const soon = await begin();
    expect(headingOf(soon.page)).to.equal('Protect your sign-in');
    // Fourteen days from when people begin to be asked.
    expect(soon.page.body).to.contain(
      `datetime="${new Date(since.getTime() + 14 * 86_400_000).toISOString()}"`,
    );
    await soon.press('/factor/later');
    expect(await soon.claims()).to.deep.include({ amr: ['pwd'] });

    await policy({ require: 'required', since: LONG_AGO.toISOString() });
    const now = await begin();
    expect(now.page.body).to.not.contain('/factor/later');
    // A form of another step gets no one through.
    const uid = /\/interaction\/[\w-]+/.exec(now.page.url)?.[0] ?? '';
    const [form] = now.page.forms;
    if (form === undefined) expect.fail('There is no form.');
    for (const step of ['later', 'go-on']) {
      const sent = { ...form, action: `${channel.server.issuer}${uid}/factor/${step}` };
      const still = await now.session.submit(now.page, {}, { form: sent });
      expect(typeof still === 'string' ? still : headingOf(still)).to.equal('Protect your sign-in');
    }
    expect(error(await channel.begin({ prompt: 'none' }, now.session))).to.equal('login_required');

    const page = await now.session.open(`${channel.server.issuer}${uid}`);
    if (typeof page !== 'string') now.at = page;
    const device = createAuthenticator({ origin: channel.server.issuer });
    await now.press('/factor/passkey', {
      response: device.create(passkeyOptions(now.page.body, 'creation')),
    });
    expect([...now.page.body.matchAll(/<li><code>/g)]).to.have.length(10);
    const claims = await (await now.press('/factor/go-on')).claims();
    expect(claims).to.include({ sub: account.id, acr: PHR });
    expect(claims.amr).to.have.members(['pwd', 'hwk', 'user', 'mfa']);
    // Single sign-on of the older session asks for what there is now.
    expect(headingOf((await channel.begin({}, kept.session)).page)).to.equal(CONFIRM);
    await policy(undefined);
  });

  it('N7 N9 no first proof outlives the password that it was by, to set a factor up with', async () => {
    const { identity, stores } = channel.server.running;
    await policy({ require: 'required', since: LONG_AGO.toISOString() });
    const account = await person('leaked');
    const half = await (await channel.begin()).press('/sign-in', login(account));
    expect(headingOf(half.page)).to.equal('Protect your sign-in');
    const response = createAuthenticator({ origin: channel.server.issuer }).create(
      passkeyOptions(half.page.body, 'creation'),
    );
    await setPassword(identity, {
      accountId: account.id,
      password: 'Saffron-Glacier-Pilot-20',
      minimum: 12,
    });
    await half.press('/factor/passkey', { response });
    expect(headingOf(half.page)).to.equal('Sign in');
    expect((await stores.accounts.byId(account.id))?.factors).to.equal(undefined);

    // A session, which may be old or stolen, sets no first factor up.
    await policy(undefined);
    const other = await person('stolen-session');
    const { session } = await (await channel.begin()).press('/sign-in', login(other));
    await policy({ require: 'required', since: LONG_AGO.toISOString() });
    const later = await channel.begin({}, session);
    expect(later.page.forms.some(({ names }) => names.includes('password'))).to.equal(true);
    await later.press('/sign-in', login(other));
    expect(headingOf(later.page)).to.equal('Protect your sign-in');
    await policy(undefined);
  });

  it('N7 my account asks a session of before, too', async () => {
    const account = await person('on-my-account');
    const { session } = await (await channel.begin()).press('/sign-in', login(account));
    const device = createAuthenticator({ origin: channel.server.issuer });
    await givePasskey(channel.server, account.id, device);
    const open = async () => {
      const page = await session.open(`${channel.server.issuer}/account/profile`);
      return typeof page === 'string' ? expect.fail(page) : page;
    };
    expect((await open()).url).to.contain('/account/profile');
    await policy({ graceDays: 0 });
    const asked = await open();
    expect(headingOf(asked)).to.equal('Sign in');
    const confirming = await session.submit(asked, login(account));
    if (typeof confirming === 'string') expect.fail(confirming);
    const form = confirming.forms.find(({ action }) => action.endsWith('/passkey'));
    const response = device.get(passkeyOptions(confirming.body));
    const back = await session.submit(confirming, { response }, form && { form });
    expect(typeof back === 'string' ? back : back.url).to.contain('/account/profile');
    await policy(undefined);
  });

  it('N1 a passkey that verified no one is no sign-in after the proof of an account that is gone', async () => {
    const [mine, theirs] = [await withPasskey('gone'), await withPasskey('still-there')];
    const half = await (await channel.begin()).press('/sign-in', login(mine.account));
    const { challenge } = JSON.parse(passkeyOptions(half.page.body));
    await deleteAccount(channel.server.running.identity, { accountId: mine.account.id });
    const response = theirs.device.get(JSON.stringify({ challenge, rpId: 'localhost' }), { verified: false });
    await half.press('/passkey', { response });
    expect(half.page.status).to.equal(400);
    expect(headingOf(half.page)).to.equal('Sign in');
  });

  it('N8 N15 is not asked for in a browser that is remembered, and by no other', async () => {
    const { account, device } = await withPasskey('remembered');
    const begin = async (session = freshBrowser(), extra = {}) =>
      (await channel.begin({ prompt: 'login', ...extra }, session)).press('/sign-in', login(account));
    const first = await confirm(await begin(), device, { 'remember-device': 'yes' });
    expect(first.at).to.be.a('string');
    const again = await begin(first.session);
    const claims = await again.claims();
    expect(claims).to.deep.include({ acr: 'urn:portico:acr:single', amr: ['pwd'] });
    expect((await channel.account(account.email ?? ''))?.factors?.devices).to.have.length(1);
    const cookie = (await first.session.jar.getCookies(channel.server.issuer)).find(({ key }) =>
      key.startsWith('portico_device_'),
    );
    expect(cookie?.httpOnly).to.equal(true);

    expect(headingOf((await begin()).page), 'another browser').to.equal(CONFIRM);
    expect(headingOf((await begin(first.session, { acr_values: STEP_UP })).page), 'step-up').to.equal(
      CONFIRM,
    );
    const other = await withPasskey('other-account');
    const stolen = await channel.begin();
    await stolen.session.jar.setCookie(`${cookie?.key}=${cookie?.value}; Path=/`, channel.server.issuer);
    await stolen.press('/sign-in', login(other.account));
    expect(headingOf(stolen.page), 'another account').to.equal(CONFIRM);

    await policy({ rememberDays: 0, graceDays: 0 });
    const silent = await channel.begin({ prompt: 'none' }, first.session);
    expect(error(silent), 'its session').to.equal('interaction_required');
    const never = await begin(first.session);
    expect(headingOf(never.page), 'the policy').to.equal(CONFIRM);
    expect(never.page.body).not.to.contain('remember-device');
    await policy(undefined);
    channel.later(29 * 86_400);
    expect((await begin(first.session)).at, '29 days').to.be.a('string');
    channel.later(2 * 86_400);
    expect(headingOf((await begin(first.session)).page), '31 days').to.equal(CONFIRM);
  });

  it('N8 is asked for again where the person ends that, and with a new password', async () => {
    const { account, device } = await withPasskey('forgotten');
    const begin = async (session = freshBrowser(), password = PASSWORD) =>
      (await channel.begin({ prompt: 'login' }, session)).press('/sign-in', { ...login(account), password });
    const { session } = await confirm(await begin(), device, { 'remember-device': 'yes' });
    const onAccount = async (path: string, action: string, fields: Record<string, string> = {}) => {
      const page = await session.open(`${channel.server.issuer}/account/${path}`);
      if (typeof page === 'string') expect.fail(page);
      const form = page.forms.find((one) => one.action.endsWith(action)) ?? expect.fail(page.body);
      await session.submit(page, fields, { form });
    };
    expect((await begin(session)).at).to.be.a('string');
    await onAccount('factors', '/devices/forget');
    expect(headingOf((await begin(session)).page), 'forgotten').to.equal(CONFIRM);

    const again = await confirm(await begin(session), device, { 'remember-device': 'yes' });
    expect(again.at).to.be.a('string');
    expect((await begin(session)).at).to.be.a('string');
    const fresh = 'Saffron-Glacier-Pilot-20';
    await onAccount('password', '/account/password', { current: PASSWORD, password: fresh });
    expect(headingOf((await begin(session, fresh)).page), 'a new password').to.equal(CONFIRM);
  });

  it('N7 P11 max_age and prompt=login ask for both once more, and not before', async () => {
    const { account, device } = await withPasskey('max-age');
    const first = await confirm(await (await channel.begin()).press('/sign-in', login(account)), device);
    expect(error(await channel.begin({ max_age: '1000', prompt: 'none' }, first.session))).to.equal(null);
    for (const asked of [{ max_age: '0' }, { prompt: 'login' }, { prompt: 'login', acr_values: PHR }]) {
      const visit = await channel.begin(asked, first.session);
      expect(visit.page.forms.some(({ names }) => names.includes('password'))).to.equal(true);
      await visit.press('/sign-in', login(account));
      expect(headingOf(visit.page), JSON.stringify(asked)).to.equal(CONFIRM);
      const claims = await (await confirm(visit, device)).claims();
      expect(claims.amr).to.have.members(['pwd', 'hwk', 'user', 'mfa']);
    }
  });

  it('N7 N15 an app is set up on the way, and is the second factor of that sign-in', async () => {
    await policy({ require: 'required', since: LONG_AGO.toISOString() });
    const account = await person('app-on-the-way');
    const visit = await (await channel.begin()).press('/sign-in', login(account));
    await visit.press('/factor/app/new');
    const secret = (/<pre class="key">([^<]*)</.exec(visit.page.body)?.[1] ?? '').replaceAll(' ', '');
    const { clock } = channel.server.running.identity;
    await visit.press('/factor/app', { code: '000000' });
    expect(visit.page.status).to.equal(400);
    await visit.press('/factor/app', { code: shownBy(secret, clock.now()) });
    expect([...visit.page.body.matchAll(/<li><code>/g)]).to.have.length(10);
    const claims = await (await visit.press('/factor/go-on')).claims();
    expect(claims).to.include({ sub: account.id, acr: STEP_UP });
    expect(claims.amr).to.have.members(['pwd', 'otp', 'mfa']);
    await policy(undefined);
  });

  it('N15 an app that wants a passkey gets one, or hears that there is none', async () => {
    const { account, device } = await withPasskey('wants-phr');
    const without = await person('wants-phr-without');
    await giveApp(channel.server.running.identity, (await person('wants-phr-app')).id);
    const essential = (member: object) =>
      JSON.stringify({ id_token: { acr: { essential: true, ...member } } });
    for (const asked of [
      { acr_values: PHR },
      { claims: essential({ value: PHR }) },
      { claims: essential({ values: [PHR] }) },
    ]) {
      const visit = await (await channel.begin(asked)).press('/sign-in', login(account));
      const claims = await (await confirm(visit, device)).claims();
      expect(claims).to.include({ acr: PHR });
      for (const email of [without.email ?? '', 'wants-phr-app@clinic.test']) {
        const none = await (await channel.begin(asked)).press('/sign-in', {
          login: email,
          password: PASSWORD,
        });
        expect(headingOf(none.page), JSON.stringify(asked)).to.equal('Two-step verification needed');
        expect(error(await none.press('/cancel'))).to.equal('unmet_authentication_requirements');
      }
    }
  });

  it('N7 what the client alone requires is asked by that client alone', async () => {
    const { clients } = channel.server.running.stores;
    const known = (await clients.byId(channel.party.client.clientId)) ?? expect.fail();
    const account = await person('client-alone');
    const signedIn = await (await channel.begin()).press('/sign-in', login(account));
    const factors = { require: 'required', since: LONG_AGO.toISOString() } as const;
    await policy({ require: 'optional' });
    await clients.put({ ...known, metadata: { ...known.metadata, factors } });
    channel.later(120);
    try {
      const silent = await channel.begin({ prompt: 'none' }, signedIn.session);
      expect(error(silent)).to.equal('interaction_required');
      const visit = await (await channel.begin()).press('/sign-in', login(account));
      expect(headingOf(visit.page)).to.equal('Protect your sign-in');
      expect(visit.page.body).to.not.contain('/factor/later');
      const mine = await signedIn.session.open(`${channel.server.issuer}/account/profile`);
      expect(typeof mine === 'string' ? mine : mine.url).to.contain('/account/profile');
    } finally {
      await clients.put(known);
      await policy(undefined);
      channel.later(120);
    }
  });
});
