/** B8: whatever refuses a step comes before what the step spends, in every flow with a link, a code or a state. */
import { expect } from 'chai';
import { updateAccount } from '../../src/identity/accounts/update-account.ts';
import { linkIdentity } from '../../src/identity/upstream/link-identity.ts';
import {
  alertOf,
  type Channel,
  deliver,
  freshBrowser,
  openChannel,
} from '../browser/sign-in-methods/sign-in-server.ts';
import { type HttpClient, openClient } from '../support/http-client.ts';
import type { Page } from '../support/web-session.ts';

const OLD = 'Magnet-Willow-Harbor-47';
const NEW = 'Seven-Quiet-Otters-Swim-90';
/** A check that takes seconds, of a password that nobody has. */
const SLOW = `$argon2id$v=19$m=65536,t=64,p=1$${'A'.repeat(22)}$${'A'.repeat(43)}`;

describe('a step that is refused', () => {
  let channel: Channel;
  let client: HttpClient;
  let people = 0;

  before(async () => {
    channel = await openChannel({
      config: {
        hashing: { concurrency: 1, queue: 0 },
        dialects: {
          careportals: { organization: 'default', admitsFrom: ['avycenna'] },
          medisync: { admitsFrom: ['avycenna'] },
          vsee: { ssoTicket: 'strict' },
        },
      },
    });
    client = openClient(channel.server.url);
  });
  after(async () => {
    client.close();
    await channel.close();
  });

  const post = (path: string, json: object, headers: Record<string, string> = {}) => {
    people += 1;
    const from = { 'x-forwarded-for': `10.8.${people >> 8}.${people & 255}` };
    const body = JSON.stringify(json);
    return client.send({
      method: 'POST',
      path,
      body,
      headers: { 'content-type': 'application/json', ...from, ...headers },
    });
  };
  const letter = async (to: string, pattern: RegExp) =>
    pattern.exec((await channel.server.mail.take(to)).text)?.[1] ?? '';

  /** Runs `work` while the one slot for password hashes is taken and nobody may wait for it. */
  async function whileHashing<T>(work: () => Promise<T>): Promise<T> {
    const { hasher } = channel.server.running.identity;
    let done = false;
    const hold = async () => {
      while (!done) await hasher.verify('x', SLOW);
    };
    const held = hold();
    try {
      return await work();
    } finally {
      done = true;
      await held;
    }
  }

  async function unproven(name: string): Promise<string> {
    const email = `${name}@clinic.test`;
    const created = await post('/api/v1/auth/register', { name, email, password: OLD });
    expect(created.status).to.equal(201);
    return email;
  }
  const oldOneWorks = async (email: string) =>
    (await post('/api/v1/auth/login', { email, password: OLD })).status === 200;

  it('B8 W6 a new password that is refused burns no reset link and ends no old password: the hosted page', async () => {
    const email = await unproven('hosted-reset');
    const browser = freshBrowser();
    await browser.submit((await browser.open(`${channel.server.url}/forgot?organization=default`)) as Page, {
      login: email,
    });
    const link = `${channel.server.url}/reset?token=${await letter(email, /token=(rst_[\w-]+)/)}`;
    const entered = async (password: string) =>
      (await browser.submit((await browser.open(link)) as Page, { password })) as Page;
    const short = await entered('short');
    const common = await entered('passwordpassword');
    const busy = await whileHashing(() => entered(NEW));
    expect([short.status, common.status, busy.status]).to.deep.equal([400, 400, 503]);
    expect(await oldOneWorks(email)).to.equal(true);
    expect((await entered(NEW)).url).to.contain('/reset/done');
    expect(await oldOneWorks(email)).to.equal(false);
  });

  it("B8 W6 a new password that is refused burns no reset link and ends no old password: CarePortals'", async () => {
    const email = await unproven('vendor-reset');
    await post('/patient/auth/forgot', { email });
    const token = await letter(email, /token=(rst_[\w-]+)/);
    const entered = async (password: string) =>
      (await post('/patient/auth/reset', { token, password })).status;
    expect(await entered('short')).to.equal(406);
    expect(await entered('password1')).to.equal(406);
    expect(await whileHashing(() => entered(NEW))).to.equal(503);
    expect(await oldOneWorks(email)).to.equal(true);
    expect(await entered(NEW)).to.equal(201);
    expect(await oldOneWorks(email)).to.equal(false);
  });

  it('B8 a first password that is refused changes nothing, and the code that led there is the person’s still', async () => {
    const email = 'first-one@clinic.test';
    await post('/api_v3/users/activate', { first_name: 'Nova', last_name: 'Comer', email });
    const code = await letter(email, /Your code: ([a-z]{6})/);
    const account = await channel.account(email);
    const { identity } = channel.server.running;
    const setStatus = (status: 'active' | 'inactive') =>
      updateAccount(identity, account?.id ?? '', (present) => ({ ...present, status }));
    const signIn = () => post('/api_v3/users/login', { email, email_token: code });
    await setStatus('active');
    expect((await signIn()).status).to.equal(401);
    await setStatus('inactive');
    const signedIn = await signIn();
    expect(signedIn.status).to.equal(200);
    const { data } = signedIn.json() as { data: { token: string } };
    const set = async (password: string) =>
      (await post('/api_v3/me', { password }, { 'x-apitoken': data.token })).status;
    expect(await set('short')).to.equal(400);
    expect(await whileHashing(() => set(NEW))).to.equal(503);
    expect((await channel.account(email))?.passwordHash).to.equal(undefined);
    expect(await set(NEW)).to.equal(200);
  });

  it('B8 a code is not spent on a link that cannot be made', async () => {
    const email = 'link-late@clinic.test';
    const { id } = await channel.make({ email });
    const { id: other } = await channel.make({ email: 'link-first@clinic.test' });
    const visit = await (await channel.begin()).with('google', { sub: 'late', email, email_verified: true });
    await visit.press('/code/send');
    const code = await visit.code(email);
    const { identity, stores } = channel.server.running;
    const issuer = channel.server.upstream.issuers.google;
    await linkIdentity(identity, { accountId: other, issuer, subject: 'late' });
    const page = visit.page.url;
    await visit.press('/code', { code });
    expect(visit.page.status).to.equal(400);
    visit.at = await visit.session.open(page);
    await stores.identities.unlink('default', issuer, 'late');
    await visit.press('/code', { code });
    expect((await visit.claims()).sub).to.equal(id);
  });

  it('B8 F6 an upstream that is down, or another browser, spends no answer: the hosted page', async () => {
    await channel.make({ email: 'p1@gmail.com' });
    const visit = await channel.begin();
    const answer = await visit.leave('google', {
      sub: 'patient-one',
      email: 'p1@gmail.com',
      email_verified: true,
    });
    const callback = await visit.session.request(`${answer.callback}?${answer.parameters}`);
    const arrived = new URL(callback.headers.get('location') ?? '', channel.server.url).href;
    const uid = /\/interaction\/[\w-]+/.exec(arrived)?.[0] ?? '';
    const stranger = await channel.begin();
    const own = /\/interaction\/[\w-]+/.exec(stranger.page.url)?.[0] ?? '';
    await stranger.session.open(arrived.replace(uid, own));
    channel.server.upstream.setDown(true);
    const down = (await visit.session.open(arrived)) as Page;
    channel.server.upstream.setDown(false);
    expect(down.status, alertOf(down)).to.equal(503);
    const until = [channel.party.client.redirectUri];
    visit.at = await visit.session.open(arrived, until);
    expect(
      visit.at,
      typeof visit.at === 'string' ? '' : `${visit.at.status} ${visit.at.url} ${alertOf(visit.at)}`,
    ).to.be.a('string');
    const again = await deliver(visit.session, answer, until);
    expect(typeof again === 'string' ? 0 : again.status).to.equal(410);
  });

  it("B8 F6 another browser spends no state: AVYCENNA's", async () => {
    const begun = await client.send({ method: 'GET', path: '/api/v1/auth/oauth/google' });
    channel.server.upstream.nextPerson('google', { sub: 'av', email: 'av@gmail.com', email_verified: true });
    const approved = await fetch(begun.headers.location ?? '', { redirect: 'manual' });
    const back = new URL(approved.headers.get('location') ?? '');
    const path = back.pathname + back.search;
    const cookie = (begun.cookies[0] ?? '').split(';')[0] ?? '';
    expect((await client.send({ method: 'GET', path })).status).to.equal(400);
    const landed = await client.send({ method: 'GET', path, headers: { cookie } });
    expect(landed.headers.location).not.to.contain('error');
  });

  it('B8 C4 a refused place to go spends no single sign-on token', async () => {
    const email = 'sso-b8@clinic.test';
    await channel.make({ email, passwordHash: await channel.server.running.identity.hasher.hash(OLD) });
    const signedIn = await post('/api_v3/users/login', { username: email, password: OLD });
    const { data } = signedIn.json() as { data: { token: string } };
    const go = (next: string) =>
      client.send({ method: 'GET', path: `/auth?sso_token=${data.token}&next=${next}` });
    expect((await go('//evil.test')).status).to.equal(400);
    expect((await go('/u')).status).to.equal(303);
    expect((await go('/u')).status).to.equal(401);
  });

  it('B8 a verification link is not spent by a request that is refused', async () => {
    const email = await unproven('verify-b8');
    await post('/api/verification/resend', { email });
    const token = await letter(email, /token=(vt_[\w-]+)/);
    const path = '/api/verification/verify';
    expect((await post(path, { token: [token] })).status).to.equal(400);
    expect((await post(path, { token }, { 'content-type': 'text/plain' })).status).to.equal(400);
    expect((await post(path, { token })).status).to.equal(200);
    expect((await post(path, { token })).status).to.equal(400);
  });
});
