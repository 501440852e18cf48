import { expect } from 'chai';
import type { Clock } from '../../../src/core/clock.ts';
import { setStatus } from '../../../src/identity/accounts/set-status.ts';
import { updateAccount } from '../../../src/identity/accounts/update-account.ts';
import { startTestServer, type TestServer } from '../../support/server.ts';
import { type Answer, type Caller, callerOf, statuses, times } from '../caller.ts';

const MARA = { email: 'mara@clinic.test', password: 'Harbour-Lantern-Quartz-41' };
const NEW_PASSWORD = 'Quiet-Bicycle-Thunder-11';
const DEAD = { status: false, message: 'Invalid or expired token' };
const BAD_ID_TOKEN = { status: false, message: 'Invalid or expired ID token' };
const MANY = { status: false, message: 'Too many requests. Please try again later.' };

describe('VisitNote', () => {
  let server: TestServer;
  let ahead = 0;
  /** Where the clock stands still. */
  let stopped: number | undefined;
  const clock: Clock = { now: () => new Date((stopped ?? Date.now()) + ahead) };

  before(async () => {
    server = await startTestServer({ clock });
  });
  after(() => server.close());
  afterEach(() => {
    ahead = 0;
    stopped = undefined;
  });

  const open = () => callerOf(server, '/api/therapist/v1');

  async function signIn(caller: Caller, who = MARA): Promise<string> {
    const answer = await caller.call('POST', '/sign-in', { json: who });
    expect(answer.status, answer.text).to.equal(200);
    return answer.json.data.token;
  }

  async function accountOf(email: string) {
    const account = await server.running.stores.accounts.byEmail('default', email);
    if (account === undefined) throw new Error(`There is nobody at ${email}.`);
    return account;
  }

  describe('bodies', () => {
    it('C6 JSON and forms that are not UTF-8 count as bodies without fields', async () => {
      const latin = Buffer.from('{"email":"mara@clinic.test","password":"caf\u00e9-caf\u00e9"}', 'latin1');
      for (const type of ['application/json', 'application/json; charset=latin1']) {
        const answer = await open().call('POST', '/sign-in', {
          bytes: latin,
          headers: { 'content-type': type },
        });
        expect(answer.status).to.equal(422);
        expect(answer.json.errors).to.deep.equal({
          email: ['The email field is required.'],
          password: ['The password field is required.'],
        });
      }
      const form = await open().call('POST', '/sign-in', {
        bytes: Buffer.from('email=mara%40clinic.test&password=\xff', 'latin1'),
        headers: { 'content-type': 'application/x-www-form-urlencoded' },
      });
      expect(Object.keys(form.json.errors)).to.deep.equal(['email', 'password']);
    });

    it('65,536 bytes are read, one more is 413, and bytes are what counts', async () => {
      const caller = open();
      const sized = (size: number, filler = 'x') => {
        const empty = JSON.stringify({ ...MARA, pad: '' });
        const room = size - Buffer.byteLength(empty);
        return JSON.stringify({ ...MARA, pad: filler.repeat(room / Buffer.byteLength(filler)) });
      };
      const send = async (bytes: string) => (await caller.call('POST', '/sign-in', { bytes })).status;
      expect(await send(sized(65_536))).to.equal(200);
      expect(await send(sized(65_537))).to.equal(413);
      expect(await send(sized(70_000, '\u00e9'))).to.equal(413);
    });
  });

  describe('limits', () => {
    it('the auth window lasts a minute from its first request, not from its last', async () => {
      const caller = open();
      stopped = Date.now();
      await signIn(caller);
      ahead = 50_000;
      await times(9, () => signIn(caller));
      const refused = await caller.call('POST', '/sign-in', { json: MARA });
      expect(refused.status).to.equal(429);
      expect(refused.headers['retry-after']).to.equal('10');
      ahead = 60_500;
      const later = await caller.call('POST', '/sign-in', { json: MARA });
      expect(later.status).to.equal(200);
      expect(later.headers['x-ratelimit-remaining']).to.equal('9');
    });

    it('a request that the auth limit refuses is not counted, and prolongs nothing', async () => {
      const caller = open();
      await times(30, () => caller.call('POST', '/sign-in', { json: {} }));
      ahead = 61_000;
      const answers = await times(11, () => caller.call('POST', '/sign-in', { json: {} }));
      expect(statuses(answers)).to.deep.equal({ 422: 10, 429: 1 });
    });

    it('the general window lasts a minute too', async () => {
      const caller = open();
      const token = await signIn(caller, { email: 'dr@clinic.test', password: 'Saffron-Glacier-Pilot-19' });
      const answers = await times(62, () => caller.call('GET', '/my-profile', { token }));
      expect(statuses(answers)).to.deep.equal({ 200: 60, 429: 2 });
      ahead = 61_000;
      const later = await caller.call('GET', '/my-profile', { token });
      expect(later.headers['x-ratelimit-remaining']).to.equal('59');
    });
  });

  describe('tokens', () => {
    it('a token is dead after its day', async () => {
      const caller = open();
      const token = await signIn(caller);
      ahead = 86_395_000;
      expect((await caller.call('GET', '/my-profile', { token })).status).to.equal(200);
      ahead = 86_401_000;
      expect((await caller.call('GET', '/my-profile', { token })).json).to.deep.equal(DEAD);
    });

    it('S4 a blocked account is refused with all its tokens, by password and by ID token alike', async () => {
      const caller = open();
      const email = 'new-block@x.test';
      const idToken = (iat: number) =>
        server.upstream.signIdToken('apple', { sub: 'a-block', email, email_verified: true, iat });
      const now = Math.floor(Date.now() / 1000);
      const social = async (path: string, iat: number) =>
        caller.call('POST', path, {
          json: { provider: 'apple', id_token: await idToken(iat), email, first_name: 'A', last_name: 'B' },
        });
      const registered = await social('/register/social', now - 3);
      const { token } = registered.json.data;
      const { id } = await accountOf(email);
      await setStatus(server.running.identity, { accountId: id, status: 'blocked' });
      expect((await caller.call('GET', '/my-profile', { token })).json).to.deep.equal(DEAD);
      const refused = await social('/sign-in/social', now - 2);
      expect([refused.status, refused.json]).to.deep.equal([401, BAD_ID_TOKEN]);
      await setStatus(server.running.identity, { accountId: id, status: 'active' });
      expect((await caller.call('GET', '/my-profile', { token })).status).to.equal(401);
      expect((await social('/sign-in/social', now - 2)).status, 'a refusal uses nothing up').to.equal(200);
    });

    it('a live token of another panel is 403 and charged like any other', async () => {
      const caller = open();
      const { id } = await accountOf('n.okafor@ward.test');
      const { access } = await server.running.oidc.grants.issue({
        clientId: 'visitnote-legacy',
        accountId: id,
        organization: 'default',
        scope: 'profile email',
        amr: ['pwd'],
        access: {
          value: 'jwt',
          lifetime: 600,
          audience: `${server.issuer}/api/therapist/v1`,
          claims: { token_panel: 'patient' },
        },
      });
      const forbidden = { status: false, message: 'Forbidden' };
      const token = access.value;
      for (const [method, path, limit, remaining] of [
        ['GET', '/my-profile', '60', '59'],
        ['POST', '/complete-onboarding', '60', '58'],
        ['POST', '/logout', '60', '57'],
        ['POST', '/delete-account', '10', '9'],
      ] as const) {
        const answer = await caller.call(method, path, { token, ...(method === 'POST' && { json: {} }) });
        expect([answer.status, answer.json], path).to.deep.equal([403, forbidden]);
        expect(answer.headers['www-authenticate']).to.equal(undefined);
        expect(answer.headers['x-ratelimit-limit'], path).to.equal(limit);
        expect(answer.headers['x-ratelimit-remaining'], path).to.equal(remaining);
      }
      const own = await signIn(caller, {
        email: 'n.okafor@ward.test',
        password: 'Copper-Meadow-Falcon-72',
      });
      const next = await caller.call('GET', '/my-profile', { token: own });
      expect(next.headers['x-ratelimit-remaining'], 'one counter for one account').to.equal('56');
    });

    it('an account with one role that is not refused comes in, one that turns patient goes out', async () => {
      const caller = open();
      const patient = { email: 'patient@clinic.test', password: 'Juniper-Cargo-Mirror-29' };
      const { id } = await accountOf(patient.email);
      const roles = (names: string[]) =>
        updateAccount(server.running.identity, id, (account) => ({ ...account, roles: names }));
      await roles(['patient', 'clinician']);
      const token = await signIn(caller, patient);
      await roles(['patient']);
      expect((await caller.call('GET', '/my-profile', { token })).json).to.deep.equal(DEAD);
      const refused = await caller.call('POST', '/sign-in', { json: patient });
      expect(refused.json).to.deep.equal({ status: false, message: 'Invalid credentials' });
    });
  });

  describe('ID tokens', () => {
    const now = () => Math.floor(Date.now() / 1000);
    const send = (caller: Caller, where: 'sign-in' | 'register', idToken: string, email: string) =>
      caller.call('POST', `/${where}/social`, {
        json: { provider: 'google', id_token: idToken, email, first_name: 'Ada', last_name: 'Social' },
      });

    it('of ten parallel uses of one ID token one registers, the others are 401', async () => {
      const email = 'new-parallel@x.test';
      const idToken = await server.upstream.signIdToken('google', {
        sub: 'g-parallel',
        email,
        email_verified: true,
      });
      const answers = await times(10, () => send(open(), 'register', idToken, email));
      expect(statuses(answers)).to.deep.equal({ 200: 1, 401: 9 });
      for (const answer of answers.filter(({ status }) => status === 401)) {
        expect(answer.json).to.deep.equal(BAD_ID_TOKEN);
      }
    });

    it('of ten parallel uses of one ID token one signs in or links, the others are 401', async () => {
      const email = 'new-parallel@gmail.com';
      const claims = { sub: 'g-parallel-2', email, email_verified: true };
      const first = await server.upstream.signIdToken('google', { ...claims, iat: now() - 5 });
      expect((await send(open(), 'register', first, email)).status).to.equal(200);
      const second = await server.upstream.signIdToken('google', { ...claims, iat: now() - 4 });
      expect(statuses(await times(10, () => send(open(), 'sign-in', second, email)))).to.deep.equal({
        200: 1,
        401: 9,
      });
      const other = await server.upstream.signIdToken('google', { ...claims, sub: 'g-parallel-3' });
      expect(statuses(await times(10, () => send(open(), 'register', other, email)))).to.deep.equal({
        200: 1,
        401: 9,
      });
    });

    it('parallel registrations of one person with many ID tokens make one account and use one token up', async () => {
      const claims = { sub: 'g-many', email_verified: true };
      const people = await times(8, async (index) => {
        const email = `new-many${index % 2}@x.test`;
        return {
          email,
          idToken: await server.upstream.signIdToken('google', { ...claims, email, jti: `${index}` }),
        };
      });
      const answers = await times(8, (index) => {
        const { idToken = '', email = '' } = people[index] ?? {};
        return send(open(), 'register', idToken, email);
      });
      expect(statuses(answers)).to.deep.equal({ 200: 1, 409: 7 });
      const later = await times(8, (index) => {
        const { idToken = '', email = '' } = people[index] ?? {};
        return send(open(), 'sign-in', idToken, email);
      });
      expect(statuses(later)).to.deep.equal({ 200: 7, 401: 1 });
      const present = await Promise.all(
        ['new-many0@x.test', 'new-many1@x.test'].map((email) =>
          server.running.stores.accounts.byEmail('default', email),
        ),
      );
      expect(present.filter((account) => account !== undefined)).to.have.length(1);
    });

    it('F3 without an address signs its identity in, whatever address the body names, and registers nobody', async () => {
      const email = 'new-bare@x.test';
      const bare = () => server.upstream.signIdToken('google', { sub: 'g-bare', iat: now() - 1 });
      const refused = await send(open(), 'register', await bare(), email);
      expect([refused.status, refused.json]).to.deep.equal([401, BAD_ID_TOKEN]);
      const full = await server.upstream.signIdToken('google', {
        sub: 'g-bare',
        email,
        email_verified: true,
      });
      expect((await send(open(), 'register', full, email)).status).to.equal(200);
      const answer = await send(open(), 'sign-in', await bare(), 'somebody-else@x.test');
      expect(answer.status).to.equal(200);
      expect(answer.json.data.loginData.email).to.equal(email);
    });

    it('an ID token has one spelling, so that a used one cannot come back in another', async () => {
      const email = 'new-spelt@x.test';
      const claims = { sub: 'g-spelt', email, email_verified: true };
      const good = await server.upstream.signIdToken('google', claims);
      for (const spelt of [`${good} `, ` ${good}`, `${good}=`, `${good}==`, `${good}\u00a0`, `${good}.`]) {
        expect((await send(open(), 'register', spelt, email)).status, JSON.stringify(spelt)).to.equal(401);
      }
      expect((await send(open(), 'register', good, email)).status).to.equal(200);
    });
  });

  it('X4 of ten parallel registrations of one address one wins', async () => {
    const json = { first_name: 'A', last_name: 'B', email: 'new-race@x.test', password: NEW_PASSWORD };
    const answers: Answer[] = await times(10, () => open().call('POST', '/register', { json }));
    expect(statuses(answers)).to.deep.equal({ 200: 1, 422: 9 });
    for (const { status, json: body } of answers) {
      if (status === 422) expect(body.errors).to.deep.equal({ email: ['Email already taken'] });
    }
  });

  it('what an operator wrote is shown as it is, and what has no time form as null', async () => {
    const caller = open();
    const token = await signIn(caller);
    const { id } = await accountOf(MARA.email);
    const course = (members: Record<string, string | boolean | null>) =>
      updateAccount(server.running.identity, id, (account) => ({
        ...account,
        vendor: { ...account.vendor, visitnote: members },
      }));
    const shown = async () => (await caller.call('GET', '/my-profile', { token })).json.data;
    await course({ subscription_status: 'lifetime', trial_ends_at: '2031-02-01T00:00:00.123456Z' });
    expect(await shown()).to.include({
      subscription_status: 'lifetime',
      trial_ends_at: '2031-02-01T00:00:00.123456Z',
      needs_onboarding: true,
    });
    await course({ subscription_status: 'past_due', trial_ends_at: '2031-02-01T02:00:00+02:00' });
    expect(await shown()).to.include({ trial_ends_at: '2031-02-01T00:00:00.000000Z' });
    await course({ trial_ends_at: 'soon' });
    expect(await shown()).to.include({ subscription_status: 'none', trial_ends_at: null });
  });

  it('C1 what is no password moves no shared counter: ID tokens, registrations, faulty fields', async () => {
    const strict = await startTestServer({ config: { attempts: { address: { limit: 1, window: 900 } } } });
    try {
      const caller = callerOf(strict, '/api/therapist/v1');
      const person = { email: MARA.email, first_name: 'A', last_name: 'B', password: NEW_PASSWORD };
      const social = { ...person, provider: 'google', id_token: 'x' };
      expect((await caller.call('POST', '/sign-in/social', { json: social })).status).to.equal(401);
      expect((await caller.call('POST', '/register/social', { json: social })).status).to.equal(401);
      expect((await caller.call('POST', '/register', { json: person })).status).to.equal(422);
      expect((await caller.call('POST', '/sign-in', { json: { email: MARA.email } })).status).to.equal(422);
      expect((await caller.call('POST', '/delete-account', { json: MARA })).status).to.equal(401);
      const token = await signIn(caller);
      expect((await caller.call('POST', '/delete-account', { token, json: {} })).status).to.equal(422);
      expect((await caller.call('POST', '/sign-in', { json: MARA })).status).to.equal(200);
      const wrong = { token, json: { password: 'x' } };
      expect((await caller.call('POST', '/delete-account', wrong)).status).to.equal(401);
      expect((await caller.call('POST', '/sign-in', { json: MARA })).status).to.equal(429);
    } finally {
      await strict.close();
    }
  });

  it('C1 a client address that is full stops all five auth endpoints, with the time of the shared counter', async () => {
    const strict = await startTestServer({ config: { attempts: { address: { limit: 2, window: 900 } } } });
    try {
      const caller = callerOf(strict, '/api/therapist/v1');
      const { token } = (await caller.call('POST', '/sign-in', { json: MARA })).json.data;
      for (const email of ['a@x.test', 'b@x.test']) {
        await caller.call('POST', '/sign-in', { json: { email, password: 'x' } });
      }
      const person = { email: 'new@x.test', first_name: 'A', last_name: 'B', password: NEW_PASSWORD };
      const bodies = {
        '/sign-in': MARA,
        '/register': person,
        '/sign-in/social': { ...person, provider: 'google', id_token: 'x' },
        '/register/social': { ...person, provider: 'google', id_token: 'x' },
        '/delete-account': MARA,
      };
      let remaining = 7;
      for (const [path, json] of Object.entries(bodies)) {
        remaining -= 1;
        const answer = await caller.call('POST', path, { json, token });
        expect([answer.status, answer.json], path).to.deep.equal([429, MANY]);
        expect(Number(answer.headers['retry-after']), path).to.be.within(800, 900);
        expect(answer.headers['x-ratelimit-remaining'], path).to.equal(String(remaining));
      }
      const empty = await caller.call('POST', '/register', { json: {} });
      expect(empty.status, 'fields come first').to.equal(422);
      expect((await caller.call('GET', '/my-profile', { token })).status).to.equal(200);
    } finally {
      await strict.close();
    }
  });
});
