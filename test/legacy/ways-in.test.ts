/** The ways in beside the password, where a legacy system is asked: codes, social, single sign-on, registration, reset. */
import { randomUUID } from 'node:crypto';
import { expect } from 'chai';
import { deleteAccount } from '../../src/identity/accounts/delete-account.ts';
import { eventually } from '../support/in-time.ts';
import { VSEE_KEY } from '../support/legacy-vendors/vsee.ts';
import { OTHER, PASSWORD, type People, startPeople } from './people.ts';

describe('Beside the password, people of a legacy system', function () {
  this.timeout(120_000);
  let people: People;
  before(async () => {
    const started = await startPeople('embedded', {
      visitnote: { registration: 'proxy' },
      avycenna: { registration: 'proxy', roles: ['doctor'] },
      vsee: { registration: 'hold' },
      careportals: { roles: ['patient'] },
      medisync: { timeout: '20s' },
    });
    if (started === undefined) throw new Error('The embedded store did not start.');
    people = started;
    const { stores, identity } = people.server.running;
    await stores.apiKeys.insert({
      ...{ id: 'clinic-1', organization: 'clinicdev', vendor: 'vsee', name: 'as at the legacy system' },
      ...{ keyHash: identity.secrets.hmac('api-key', VSEE_KEY), scopes: [], createdAt: new Date() },
    });
  });
  after(() => people.close());

  /** But for the ends of sessions that asking opened, which come when they come. */
  const paths = () =>
    people.system.calls
      .map(({ method, url }) => `${method} ${url}`)
      .filter((path) => !path.endsWith('/logout'));
  const sendCode = (email: string) => people.post('/api/v1/auth/otp/send', { email });
  const verifyCode = (email: string, otp: string) => people.post('/api/v1/auth/otp/verify', { email, otp });
  /** The legacy system is called after the reply: how often it was, once it was. */
  const called = (path: RegExp) =>
    eventually(() => {
      const calls = paths().filter((one) => path.test(one));
      expect(calls).not.to.deep.equal([]);
      return calls.length;
    });

  it('M15 get its code after the reply, and sign in with it; who is known gets ours', async () => {
    const { email, id } = people.system.add('avycenna', { email: 'code@clinic.test' });
    people.system.forget();
    people.system.suffer({ kind: 'delay', milliseconds: 200 }, /otp\/send/);
    const sent = await sendCode(email);
    expect(sent.status).to.equal(200);
    expect(paths()).to.deep.equal([]);
    expect(await called(/otp\/send/)).to.equal(1);
    people.system.suffer(undefined);
    await eventually(() => expect(people.system.world.secretOf(email)).to.be.a('string'));
    const wrong = await verifyCode(email, '000000');
    expect(wrong.status, wrong.text).to.equal(401);
    const right = await verifyCode(email, people.system.world.secretOf(email) ?? '');
    expect(right.status, right.text).to.equal(200);
    const account = await people.account(email);
    expect(account?.aliases.avycenna).to.equal(id);
    expect(account?.emailVerified).to.equal(true);
    people.system.forget();
    await sendCode(email);
    const { text } = await people.server.mail.take(email);
    expect(text).to.match(/\b\d{6}\b/);
    expect(paths()).to.deep.equal([]);
  });

  const idToken = (sub: string, email: string) =>
    people.server.upstream.signIdToken('google', { sub, email, email_verified: true, jti: randomUUID() });
  const social = async (sub: string, email: string) =>
    people.post('/api/therapist/v1/sign-in/social', {
      ...{ provider: 'google', id_token: await idToken(sub, email), email },
      ...{ first_name: 'Mara', last_name: 'Ito' },
    });

  it('are known by a verified ID token, and linked from then on', async () => {
    const { email, id } = people.system.add('visitnote', {
      email: 'social@clinic.test',
      identity: 'google:g-17',
    });
    const first = await social('g-17', email);
    expect(first.status, first.text).to.equal(200);
    expect((await people.account(email))?.aliases.visitnote).to.equal(id);
    people.system.forget();
    expect((await social('g-17', email)).status).to.equal(200);
    expect(paths()).to.deep.equal([]);
    expect((await social('g-18', 'unknown@clinic.test')).status).to.equal(404);
    people.system.suffer({ kind: 'status', status: 500 });
    const away = await social('g-19', 'unknown2@clinic.test');
    people.system.suffer(undefined);
    expect(away.status, away.text).to.equal(503);
  });

  it('M8 are not known again by any of these ways once they were deleted here', async () => {
    const { email } = people.system.add('visitnote', { email: 'gone@clinic.test', identity: 'google:g-20' });
    expect((await social('g-20', email)).status).to.equal(200);
    const account = await people.account(email);
    await deleteAccount(people.server.running.identity, { accountId: account?.id ?? '' });
    people.system.forget();
    expect((await social('g-20', email)).status).to.equal(404);
    expect((await people.signIn(email, PASSWORD)).status).to.equal(401);
    await sendCode(email);
    expect((await verifyCode(email, '123456')).status).to.equal(401);
    // By another address of theirs the legacy system still knows them, under the id that is gone.
    const known = people.system.world.byEmail('visitnote', email);
    if (known !== undefined) known.email = 'gone-too@clinic.test';
    expect((await social('g-20', 'gone-too@clinic.test')).status).to.equal(404);
    expect(await people.account('gone-too@clinic.test')).to.equal(undefined);
  });

  const clinic = { 'x-apikey': VSEE_KEY, 'x-accountcode': 'clinicdev' };
  const sso = (code: string, body: object = {}) =>
    people.post(
      '/api_v3/users/sso',
      { first_name: 'Pat', last_name: 'One', type: 200, code, ...body },
      clinic,
    );

  it('are known by the code of their clinic', async () => {
    people.system.forget();
    const first = await sso('clinic-1');
    expect(first.status, first.text).to.equal(200);
    const { id } = (first.json() as { data: { id: string } }).data;
    const there = people.system.world.find('vsee', ({ members }) => members.sso_code === 'clinic-1');
    expect(id).to.equal(there?.id);
    people.system.forget();
    const again = await sso('clinic-1');
    expect((again.json() as { data: { id: string } }).data.id).to.equal(id);
    expect(paths()).to.deep.equal([]);
  });

  it('set a new password by the link of the legacy system’s own email, and sign in with it', async () => {
    const { system, server, post } = people;
    const { email } = system.add('careportals', { email: 'linked@clinic.test', password: OTHER });
    const headers = { organization: 'north_clinic' };
    await post('/patient/auth/forgot', { email }, headers);
    expect(await called(/forgot$/)).to.equal(1);
    const token = system.world.secretOf(email) ?? '';
    const statuses = async (link: string, password: string) => [
      (await fetch(`${server.url}/patient/auth/forgot/validate?token=${link}`, { headers })).status,
      (await fetch(`${server.url}/patient/auth/valid-password-token?token=${link}`, { headers })).status,
      (await post('/patient/auth/reset', { token: link, password }, headers)).status,
    ];
    expect(await statuses('rst_unknown', PASSWORD)).to.deep.equal([401, 401, 401]);
    system.suffer({ kind: 'hang' });
    expect((await post('/patient/auth/reset', { token, password: PASSWORD }, headers)).status).to.equal(503);
    system.suffer(undefined);
    expect(await statuses(token, 'eight-ch')).to.deep.equal([200, 200, 406]);
    expect(await statuses(token, PASSWORD)).to.deep.equal([200, 200, 201]);
    expect(await statuses(token, PASSWORD)).to.deep.equal([401, 401, 401]);
    const signedIn = await post('/patient/auth/login', { username: email, password: PASSWORD }, headers);
    expect(signedIn.status, signedIn.text).to.equal(201);
  });

  it('M4 M6 prove their address by the link of the legacy system’s own email, and are verified when it next shows them', async () => {
    const { system, server, post, account } = people;
    const [email, token] = ['doctor@clinic.test', 'link_of-the-legacy-system'];
    system.add('medisync', { email, password: PASSWORD, members: { isVerified: false } });
    system.world.send('medisync', email, 'verification', token);
    const signIn = async (): Promise<string> =>
      ((await post('/api/login', { email, password: PASSWORD })).json() as { token: string }).token;
    const subscription = async (bearer: string) => {
      const headers = { authorization: `Bearer ${bearer}` };
      return (await fetch(`${server.url}/api/settings/subscription`, { headers })).status;
    };
    const before = await signIn();
    expect(await subscription(before)).to.equal(403);
    const verify = (link: string) => post('/api/verification/verify', { token: link });
    const unknown = await verify('link_unknown');
    expect([unknown.status, unknown.text]).to.deep.equal([
      400,
      '{"success":false,"error":"Invalid or expired verification link","code":"INVALID_VERIFICATION_TOKEN"}',
    ]);
    expect(await subscription(await signIn())).to.equal(403);
    system.suffer({ kind: 'status', status: 500 });
    expect((await verify(token)).status).to.equal(503);
    // The password is right here, so the person is let in all the same.
    expect(await subscription(await signIn())).to.equal(403);
    system.suffer(undefined);
    const page = await fetch(`${server.url}/api/verification/verify`, {
      method: 'POST',
      body: new URLSearchParams({ token }),
    });
    expect([page.status, page.headers.get('content-type')]).to.deep.equal([200, 'text/html; charset=utf-8']);
    expect((await verify(token)).status).to.equal(400);
    expect(await subscription(before)).to.equal(403);
    expect(await subscription(await signIn())).to.equal(200);
    // The password stays, and so do the vendor's sign-ins from before, as by a link of Portico's own.
    expect(await subscription(before)).to.equal(200);
    expect(await account(email)).to.include({ emailVerified: true });
    system.forget();
    await signIn();
    expect(paths()).to.deep.equal([]);
    // A token of the legacy system's own tells it as soon as that system is asked about it again.
    const other = system.add('medisync', { email: 'other@clinic.test', members: { isVerified: false } });
    const { value } = system.issue(other).access;
    expect(await subscription(value)).to.equal(403);
    system.world.send('medisync', other.email, 'verification', 'link_of-the-other');
    expect((await verify('link_of-the-other')).status).to.equal(200);
    people.pass(16 * 60);
    expect(await subscription(value)).to.equal(200);
  });

  it('M20 a client address has twenty unknown links in five minutes, and then no more are asked about', async () => {
    const from = { 'x-forwarded-for': '198.19.7.7' };
    people.system.forget();
    const tried = Array.from({ length: 25 }, (_, at) =>
      people.post('/api/verification/verify', { token: `link_${at}` }, from),
    );
    expect(new Set((await Promise.all(tried)).map(({ status }) => status))).to.deep.equal(new Set([400]));
    expect(paths()).to.have.lengthOf(20);
  });

  it('M9 lose their address to no stranger who registers ahead of them, where one legacy system of the organization holds', async () => {
    const { email } = people.system.add('avycenna', { email: 'squatted@clinic.test', password: OTHER });
    const registration = { name: 'A Squatter', email, password: PASSWORD };
    const refused = await people.post('/api/v1/auth/register', registration);
    expect(refused.status, refused.text).to.equal(503);
    expect(await people.account(email)).to.equal(undefined);
  });
});

describe('Registration in stage primary', function () {
  this.timeout(120_000);

  const open = async (registration: string) => {
    const started = await startPeople('embedded', { visitnote: { registration } });
    if (started === undefined) throw new Error('The embedded store did not start.');
    return started;
  };
  const body = (email: string) => ({
    ...{ first_name: 'New', last_name: 'Person', email, password: PASSWORD, password_confirmation: PASSWORD },
  });
  const register = (people: People, email: string) => people.post('/api/therapist/v1/register', body(email));

  it('M9 proxy: the legacy system opens the account first, or says that the address is taken', async () => {
    const people = await open('proxy');
    people.system.add('visitnote', { email: 'there@clinic.test', password: OTHER });
    const taken = await register(people, 'there@clinic.test');
    expect(taken.status, taken.text).to.equal(422);
    expect(taken.text).to.include('Email already taken');
    expect(await people.account('there@clinic.test')).to.equal(undefined);
    const made = await register(people, 'fresh@clinic.test');
    expect(made.status, made.text).to.equal(200);
    const there = people.system.world.byEmail('visitnote', 'fresh@clinic.test');
    expect((await people.account('fresh@clinic.test'))?.aliases.visitnote).to.equal(there?.id);
    people.system.suffer({ kind: 'hang' });
    expect((await register(people, 'later@clinic.test')).status).to.equal(503);
    people.system.suffer(undefined);
    expect(await people.account('later@clinic.test')).to.equal(undefined);
    // What was opened there signs in here without another question.
    people.system.forget();
    expect((await people.signIn('fresh@clinic.test', PASSWORD)).status).to.equal(200);
    expect(people.system.calls).to.have.lengthOf(0);
    await people.close();
  });

  it('M9 hold: none is opened, and no question is asked', async () => {
    const people = await open('hold');
    const held = await register(people, 'fresh@clinic.test');
    expect(held.status, held.text).to.equal(503);
    expect(Number(held.headers['retry-after'])).to.be.above(0);
    expect(people.system.calls).to.have.lengthOf(0);
    expect(await people.account('fresh@clinic.test')).to.equal(undefined);
    await people.close();
  });
});

describe('Refusals while a legacy system is asked', function () {
  this.timeout(120_000);
  const FLOOR = 500;
  let people: People;
  before(async () => {
    const started = await startPeople('embedded', { visitnote: { floor: `${FLOOR}ms` } });
    if (started === undefined) throw new Error('The embedded store did not start.');
    people = started;
    people.system.add('visitnote', { email: 'taken@clinic.test', password: PASSWORD });
    people.system.add('visitnote', { email: 'unseen@clinic.test', password: PASSWORD });
    expect((await people.signIn('taken@clinic.test', PASSWORD)).status).to.equal(200);
  });
  after(() => people.close());

  /** Known nowhere, known there, taken over, with a password of Portico's own. */
  const KINDS = ['nobody@clinic.test', 'unseen@clinic.test', 'taken@clinic.test', 'mara@clinic.test'];

  it('M13 come at the floor after their arrival, whoever they are about, at the API and on the page', async () => {
    for (const email of KINDS) {
      const began = performance.now();
      const reply = await people.signIn(email, OTHER);
      expect(reply.status, email).to.equal(401);
      expect(performance.now() - began, email).to.be.at.least(FLOOR - 5);
    }
    const began = performance.now();
    const page = await people.signInOnPage('nobody@clinic.test', OTHER);
    expect(typeof page === 'object' && page.status).to.equal(400);
    expect(performance.now() - began).to.be.at.least(FLOOR - 5);
  });

  it('M13 are 503 for every person while the breaker is open, in words that people understand', async () => {
    people.system.suffer({ kind: 'reset' });
    for (let tries = 0; tries < 5; tries += 1) await people.signIn('unseen@clinic.test', OTHER);
    const replies = [];
    for (const email of KINDS) replies.push(await people.signIn(email, OTHER));
    for (const reply of replies) {
      expect(reply.status, reply.text).to.equal(503);
      expect(Number(reply.headers['retry-after'])).to.be.within(1, 30);
    }
    expect(new Set(replies.map(({ text }) => text)).size).to.equal(1);
    // Who is known does not wait for it.
    expect((await people.signIn('taken@clinic.test', PASSWORD)).status).to.equal(200);
    const words = { en: 'does not answer', de: 'nicht antwortet', es: 'no responde' };
    for (const [language, text] of Object.entries(words)) {
      for (const email of ['nobody@clinic.test', 'mara@clinic.test']) {
        const page = await people.signInOnPage(email, OTHER, language);
        if (typeof page === 'string') throw new Error(page);
        expect(page.status, language).to.equal(503);
        expect(page.body, language).to.include(text);
      }
    }
    people.system.suffer(undefined);
  });
});
