/** B3 the other side: what a proof leaves in force, and what takes more than a token. */

import { expect } from 'chai';
import { proveRecoveryCode } from '../../../src/identity/sign-in/with-second-factor.ts';
import { giveApp } from '../../support/authenticator-app.ts';
import type { Page } from '../../support/web-session.ts';
import { PROOFS } from './proofs.ts';
import { open } from './ways-to-squat.ts';
import { CLINIC_KEY, openSquattedChannel, PASSWORD, type Squatted } from './world.ts';

describe('the first proof of an address', () => {
  let world: Awaited<ReturnType<typeof openSquattedChannel>>;
  before(async () => {
    world = await openSquattedChannel();
  });
  after(() => world.close());

  const signIn = async ({ post, email }: Squatted) =>
    (await post('/api/v1/auth/login', { email, password: PASSWORD })).status;

  it('B3 leaves what operators gave: ids, roles, a sign-in name; and the profile', async () => {
    const email = 'operators@gmail.com';
    const kept = {
      username: 'operators-name',
      roles: ['doctor'],
      aliases: { vsee: '20000000077', avycenna: 'usr_Op3rat0r' },
      claims: { given_name: 'Olga' },
      vendor: { vsee: { type: 400 } },
    };
    await world.channel.make({ ...kept, email, emailVerified: false });
    await PROOFS['a hosted code']?.(world.at(email));
    const { username, roles, aliases, claims, vendor, emailVerified } =
      (await world.channel.account(email)) ?? {};
    expect({ username, roles, aliases, claims }).to.deep.equal({
      username: kept.username,
      roles: kept.roles,
      aliases: kept.aliases,
      claims: kept.claims,
    });
    expect([vendor?.vsee?.type, emailVerified]).to.deep.equal([400, true]);
  });

  it('B3 takes the switch away by which a clinic kept emails from the person', async () => {
    const email = 'silenced@gmail.com';
    const there = world.at(email);
    const person = { first_name: 'Kim', last_name: 'Ray', type: 200, code: email, email, disable_emails: 1 };
    await there.post('/api_v3/users/sso', person, { 'x-apikey': CLINIC_KEY });
    await PROOFS.Google?.(there);
    expect((await world.channel.account(email))?.vendor.vsee).not.to.have.any.keys(
      'disable_emails',
      'sso_code',
    );
  });

  it('N14 ends the factors of the person who waited there, with every kind of proof', async () => {
    const { identity } = world.channel.server.running;
    for (const [index, [name, prove]] of Object.entries(PROOFS).entries()) {
      const there = world.at(`factors-${index}@gmail.com`);
      await open(there, 'registered');
      const { id = '' } = (await world.channel.account(there.email)) ?? {};
      const { recoveryCodes } = await giveApp(identity, id);
      // Its own email is no proof.
      await world.channel.server.mail.take(there.email);
      await prove(there);
      const account = await world.channel.account(there.email);
      if (account === undefined) throw new Error(name);
      expect([account.emailVerified, account.factors], name).to.deep.equal([true, undefined]);
      const context = { address: '10.8.0.1', requestId: 'r', clientId: 'portico', channel: 'hosted' };
      const sent = { account, code: recoveryCodes[0] ?? '', context };
      expect(await proveRecoveryCode(identity, sent), name).to.equal(false);
    }
  });

  it('B3 leaves the password in force where the code follows it in one sign-in', async () => {
    const there = world.at('both@gmail.com');
    await open(there, 'registered');
    const visit = await world.channel.begin({ acr_values: 'urn:portico:acr:stepup' });
    await visit.press('/sign-in', { login: there.email, password: PASSWORD });
    await visit.press('/code', { code: await visit.code(there.email) });
    expect(visit.at).to.be.a('string');
    expect((await world.channel.account(there.email))?.emailVerified).to.equal(true);
    expect(await signIn(there)).to.equal(200);
  });

  it('B3 leaves everything in force where the person confirms the address on the account page', async () => {
    const there = world.at('confirms@gmail.com');
    await open(there, 'registered');
    const visit = await world.channel.begin();
    await visit.press('/sign-in', { login: there.email, password: PASSWORD });
    await confirm(there, visit.session);
    expect((await world.channel.account(there.email))?.emailVerified).to.equal(true);
    expect(await signIn(there)).to.equal(200);
    expect((await visit.session.request(`${world.channel.server.url}/account`)).status).to.equal(200);
  });

  it('B3 ends everything where the session came by single sign-on', async () => {
    const email = 'by-token@gmail.com';
    const there = world.at(email);
    const person = { first_name: 'Kim', last_name: 'Ray', type: 200, code: email, email };
    const sso = () => there.post('/api_v3/users/sso', person, { 'x-apikey': CLINIC_KEY });
    const { data } = (await sso()).json() as { data: { id: string; token: { token: string } } };
    const visit = await world.channel.begin();
    const { url } = world.channel.server;
    await visit.session.request(`${url}/auth?sso_token=${data.token.token}`);
    await confirm(there, visit.session);
    expect((await world.channel.account(email))?.emailVerified).to.equal(true);
    expect((await visit.session.request(`${url}/account`)).status).to.equal(303);
    const again = (await sso()).json() as { data: { id: string } };
    expect(again.data.id).not.to.equal(data.id);
  });

  async function confirm(there: Squatted, session: { open: (url: string) => Promise<Page | string> }) {
    const browser = session as Awaited<ReturnType<typeof world.channel.begin>>['session'];
    const page = (await browser.open(`${world.channel.server.url}/account/address`)) as Page;
    const form = page.forms.find(({ action }) => action.endsWith('/address/confirm'));
    if (form === undefined) throw new Error(page.body);
    const asked = (await browser.submit(page, {}, { form })) as Page;
    const code = await there.nextEmail(/\b(\d{6})\b/);
    const entry = asked.forms.find(({ action }) => action.endsWith('/address/code'));
    if (entry === undefined) throw new Error(asked.body);
    await browser.submit(asked, { code }, { form: entry });
  }
});

describe('a first password by a token', () => {
  let world: Awaited<ReturnType<typeof openSquattedChannel>>;
  before(async () => {
    world = await openSquattedChannel();
  });
  after(() => world.close());

  async function activated(email: string) {
    const there = world.at(email);
    await there.post('/api_v3/users/activate', { first_name: 'Nova', last_name: 'Comer', email });
    const code = await there.nextEmail(/Your code: ([a-z]{6})/);
    const answer = await there.post('/api_v3/users/login', { email, email_token: code });
    const { data } = answer.json() as { data: { token: string; refresh_token: { token: string } } };
    const set = async (token: string) =>
      (await there.post('/api_v3/me', { password: PASSWORD }, { 'x-apitoken': token })).status;
    return { there, set, access: data.token, refresh: data.refresh_token.token };
  }

  it('B3 tells the owner, and makes the account active', async () => {
    const { there, set, access } = await activated('told@clinic.test');
    expect(await set(access)).to.equal(200);
    expect(await there.nextEmail(/(password of your account)/)).to.equal('password of your account');
    expect((await world.channel.account(there.email))?.status).to.equal('active');
  });

  it('B3 wants a sign-in of the last ten minutes, which a refreshed token is not', async () => {
    const { there, set, access, refresh } = await activated('late@clinic.test');
    world.channel.later(601);
    expect(await set(access)).to.equal(403);
    const renewed = await there.post('/api_v3/tokens/refresh', { refresh_token: refresh });
    const { data } = renewed.json() as { data: { token: string } };
    expect(await set(data.token)).to.equal(403);
    expect((await world.channel.account(there.email))?.passwordHash).to.equal(undefined);
    await world.channel.server.running.identity.mailer.drain(30_000);
    expect(world.channel.server.mail.waiting(there.email)).to.have.length(0);
  });

  it("B3 is not set by a clinic's token, nor does it lead to a browser that may", async () => {
    const email = 'clinics@clinic.test';
    const there = world.at(email);
    const person = { first_name: 'Kim', last_name: 'Ray', type: 200, code: email, email };
    const sso = await there.post('/api_v3/users/sso', person, { 'x-apikey': CLINIC_KEY });
    const { data } = sso.json() as { data: { token: { token: string; refresh_token: { token: string } } } };
    const set = async (token: string) =>
      (await there.post('/api_v3/me', { password: PASSWORD }, { 'x-apitoken': token })).status;
    expect(await set(data.token.token)).to.equal(403);
    const renewed = await there.post('/api_v3/tokens/refresh', {
      refresh_token: data.token.refresh_token.token,
    });
    expect(await set((renewed.json() as { data: { token: string } }).data.token)).to.equal(403);
  });
});
