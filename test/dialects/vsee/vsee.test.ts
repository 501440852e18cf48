import { expect } from 'chai';
import { deleteAccount } from '../../../src/identity/accounts/delete-account.ts';
import { setStatus } from '../../../src/identity/accounts/set-status.ts';
import { giveApp } from '../../support/authenticator-app.ts';
import { clinicdevApp, ownApp, type TestClient } from '../../support/clients.ts';
import { relyingParty } from '../../support/relying-party.ts';
import { startTestServer, type TestServer } from '../../support/server.ts';
import { openWebSession, type WebSession } from '../../support/web-session.ts';
import { type Answer, clientOf, KEY } from './client.ts';

const DEAD = { code: 401, message: 'Invalid or expired token.' };
const FORBIDDEN = { code: 403, message: 'You are not authorized to perform this action.' };

describe('VSee', () => {
  let server: TestServer;
  before(async () => {
    server = await startTestServer();
  });
  after(() => server.close());

  async function accountIdOf(email: string): Promise<string> {
    const account = await server.running.stores.accounts.byEmail('clinicdev', email);
    if (account === undefined) throw new Error(`There is nobody at ${email}.`);
    return account.id;
  }

  describe('the directory', () => {
    it('B4 a first call writes the ids of people who have none yet in batches', async () => {
      const { accounts } = server.running.stores;
      const { update } = accounts;
      const now = new Date();
      const fields = { organization: 'clinicdev', emailVerified: false, claims: {}, aliases: {}, vendor: {} };
      for (let index = 0; index < 120; index += 1) {
        const id = `acc_directory_${index}`;
        const email = `directory-${index}@x.test`;
        const times = { createdAt: now, updatedAt: now, version: 1 };
        await accounts.insert({ ...fields, ...times, id, email, roles: [], status: 'active' });
      }
      const { token } = await clientOf(server).signIn('doc@x.test');
      let writing = 0;
      let most = 0;
      accounts.update = async (account) => {
        writing += 1;
        most = Math.max(most, writing);
        return update(account).finally(() => {
          writing -= 1;
        });
      };
      try {
        const query = '/api_v3/users?email=directory-&limit=100';
        const listed = await clientOf(server).get(query, { 'x-apitoken': token });
        expect(listed.json.total_count).to.equal(120);
        expect(new Set(listed.json.data.map(({ id }: { id: string }) => id)).size).to.equal(100);
        expect(most, 'at once').to.be.within(20, 50);
      } finally {
        accounts.update = update;
      }
    });
  });

  describe('single sign-on', () => {
    it('X4 thirty parallel first calls with one code make one user', async () => {
      const client = clientOf(server);
      const answers = await Promise.all(
        Array.from({ length: 30 }, () =>
          client.sso({ code: 'race', email: 'race@x.test', username: 'race' }),
        ),
      );
      expect(answers.map(({ status }) => status)).to.deep.equal(Array(30).fill(200));
      expect(new Set(answers.map(({ json }) => json.data.id)).size).to.equal(1);
      expect(new Set(answers.map(({ json }) => json.data.token.token)).size).to.equal(30);
      expect(answers[0]?.json.data.username).to.equal('race');
    });

    it('X4 parallel first calls with one address and many codes make a user each, one of whom has the address', async () => {
      const client = clientOf(server);
      const answers = await Promise.all(
        Array.from({ length: 8 }, (_, index) =>
          client.sso({ code: `twin-${index}`, email: 'twin@x.test', username: 'twin' }),
        ),
      );
      expect(answers.map(({ status }) => status)).to.deep.equal(Array(8).fill(200));
      expect(new Set(answers.map(({ json }) => json.data.id)).size).to.equal(8);
      expect(answers.filter(({ json }) => json.data.username === 'twin')).to.have.length(1);
    });

    it('a blocked person is refused, and a deleted one is a new one', async () => {
      const client = clientOf(server);
      const first = await client.sso({ code: 'blocked', email: 'sso-blocked@x.test' });
      const accountId = await accountIdOf('sso-blocked@x.test');
      await setStatus(server.running.identity, { accountId, status: 'blocked' });
      expect((await client.sso({ code: 'blocked' })).json).to.deep.equal(FORBIDDEN);
      expect(
        (await client.get('/api_v3/me', { 'x-apitoken': first.json.data.token.token })).json,
      ).to.deep.equal(DEAD);
      await deleteAccount(server.running.identity, { accountId });
      const again = await client.sso({ code: 'blocked' });
      expect(again.status).to.equal(200);
      expect(again.json.data.id).to.not.equal(first.json.data.id);
    });

    it('an address that somebody else has signs nobody in', async () => {
      const client = clientOf(server);
      await client.sso({ code: 'shadow', email: 'doc@x.test' });
      const { token } = await client.signIn('doc@x.test');
      const shown = await client.get('/api_v3/users/-', { 'x-apitoken': token });
      expect(shown.json.data.id).to.equal('20000000002');
    });

    it('an address comes later while there is none, and a taken one gives way to a free one', async () => {
      const client = clientOf(server);
      const first = await client.sso({ code: 'late', email: 'pat@x.test' });
      const own = { 'x-apitoken': first.json.data.token.token };
      expect((await client.get('/api_v3/me', own)).json.data.email).to.equal('pat@x.test');
      await client.sso({ code: 'late', email: 'late@x.test' });
      expect((await client.get('/api_v3/me', own)).json.data.email).to.equal('late@x.test');
      await client.sso({ code: 'late', email: 'later@x.test' });
      expect((await client.get('/api_v3/me', own)).json.data.email).to.equal('late@x.test');
    });

    it('N14 an account with a second factor gets no address, which would end it: the address is only shown', async () => {
      const client = clientOf(server);
      const { stores } = server.running;
      await client.sso({ code: 'factor', email: 'pat@x.test' });
      const all = await stores.accounts.page('clinicdev', { limit: 1000 });
      const account = all.find(({ vendor }) => vendor.vsee?.sso_code === 'factor');
      await giveApp(server.running.identity, account?.id ?? '');
      await client.sso({ code: 'factor', email: 'attacker@x.test' });
      expect(await stores.accounts.byEmail('clinicdev', 'attacker@x.test')).to.equal(undefined);
      const after = await stores.accounts.byId(account?.id ?? '');
      expect([after?.email, after?.vendor.vsee?.contact_email]).to.deep.equal([undefined, 'attacker@x.test']);
    });
  });

  describe('activation', () => {
    it('X4 parallel requests for one address make one account', async () => {
      const answers = await Promise.all(
        Array.from({ length: 20 }, (_, index) => {
          const email = index % 2 === 0 ? 'Many@x.test' : ' many@X.TEST ';
          return clientOf(server).post('/users/activate', {
            first_name: 'An',
            last_name: `N${index}`,
            email,
          });
        }),
      );
      expect(answers.map(({ status }) => status)).to.deep.equal(Array(20).fill(200));
      const { token } = await clientOf(server).signIn('doc@x.test');
      const result = await clientOf(server).get('/api_v3/users?email=many@x.test', { 'x-apitoken': token });
      expect(result.json.total_count).to.equal(1);
    });

    it('O2 past ten emails an hour a mailbox gets none, and the code that was sent stays good', async () => {
      const ask = () => clientOf(server).post('/users/reset_password', { email: 'newcomer@x.test' });
      let code = '';
      for (let letter = 0; letter < 10; letter += 1) {
        expect((await ask()).json).to.deep.equal({ data: true });
        const { text } = await server.mail.take('newcomer@x.test');
        code = /^Your code: ([a-z]{6})$/m.exec(text)?.[1] ?? '';
      }
      for (let more = 0; more < 3; more += 1) expect((await ask()).json).to.deep.equal({ data: true });
      const signedIn = await clientOf(server).post('/users/login', {
        email: 'newcomer@x.test',
        email_token: code,
      });
      expect(signedIn.status).to.equal(200);
      expect(server.mail.waiting('newcomer@x.test')).to.have.length(0);
    });

    it('B7 strangers end neither the code nor the link that a person waits for', async () => {
      const [clinic, stranger, home] = [clientOf(server), clientOf(server), clientOf(server)];
      const person = { first_name: 'Wai', last_name: 'Ting', email: 'waiting@x.test' };
      const codeIn = ({ text }: { text: string }) => /^Your code: ([a-z]{6})$/m.exec(text)?.[1];
      await clinic.post('/users/activate', person);
      const code = codeIn(await server.mail.take(person.email));
      for (let i = 0; i < 6; i += 1) {
        const guess = { email: person.email, email_token: 'zzzzzz' };
        expect((await stranger.post('/users/login', guess)).status).to.equal(401);
      }
      await stranger.post('/users/reset_password', { email: person.email });
      await server.mail.take(person.email);
      const signIn = { email: person.email, email_token: code };
      expect((await home.post('/users/login', signIn)).status).to.equal(200);
      const linkIn = ({ text }: { text: string }) => new URL(/https?:\S+\/reset\?\S+/.exec(text)?.[0] ?? '');
      const active = { email: 'doc@x.test' };
      await home.post('/users/reset_password', active);
      const link = linkIn(await server.mail.take(active.email));
      await stranger.post('/users/reset_password', active);
      await server.mail.take(active.email);
      const page = await home.get(link.pathname + link.search);
      expect(page.status).to.equal(200);
      expect(page.text).to.contain('name="password"');
    });

    it('O3 fifty parallel uses of one code sign in once', async () => {
      const client = clientOf(server);
      await client.post('/users/activate', { first_name: 'On', last_name: 'Ce', email: 'once@x.test' });
      const { text } = await server.mail.take('once@x.test');
      const code = /^Your code: ([a-z]{6})$/m.exec(text)?.[1];
      const answers = await Promise.all(
        Array.from({ length: 50 }, () =>
          clientOf(server).post('/users/login', { email: 'once@x.test', email_token: code }),
        ),
      );
      expect(answers.filter(({ status }) => status === 200)).to.have.length(1);
    });

    it('an email quotes nothing from the request that caused it', async () => {
      const client = clientOf(server);
      await client.post('/users/activate', {
        first_name: 'Buy-Pills',
        last_name: 'evil.test',
        email: 'quoted@x.test',
      });
      const { text, html, subject } = await server.mail.take('quoted@x.test');
      for (const part of [text, html, subject]) expect(part).to.not.match(/Buy-Pills|evil\.test/);
    });
  });

  describe('refresh', () => {
    it('T8 fifty parallel uses of one refresh token have one successor', async () => {
      const client = clientOf(server);
      const { refresh } = await client.signIn('pat@x.test');
      const answers = await Promise.all(
        Array.from({ length: 50 }, () => client.post('/tokens/refresh', { refresh_token: refresh })),
      );
      expect(answers.map(({ status }) => status)).to.deep.equal(Array(50).fill(200));
      expect(new Set(answers.map(({ json }) => json.data.token)).size).to.equal(1);
      expect(new Set(answers.map(({ json }) => json.data.refresh_token.token)).size).to.equal(1);
      expect(new Set(answers.map(({ json }) => json.data.expiry)).size).to.equal(1);
    });
  });

  describe('a blocked account', () => {
    it('S4 loses its tokens at once, everywhere', async () => {
      const client = clientOf(server);
      const { token, refresh } = await client.signIn('rich@x.test');
      await setStatus(server.running.identity, {
        accountId: await accountIdOf('rich@x.test'),
        status: 'blocked',
      });
      expect((await client.get('/api_v3/me', { 'x-apitoken': token })).json).to.deep.equal(DEAD);
      expect((await client.post('/tokens/refresh', { refresh_token: refresh })).json).to.deep.equal(DEAD);
      const page = await client.get(`/auth?sso_token=${token}`);
      expect([page.status, page.headers.get('location')]).to.deep.equal([401, null]);
      const doc = await client.signIn('doc@x.test');
      const listed = await client.get('/api_v3/users?id=20000000004&status=10', { 'x-apitoken': doc.token });
      expect(listed.json.total_count).to.equal(1);
    });
  });

  describe('GET /auth', () => {
    it('C4 L2 the token is in no log, whatever comes of it', async () => {
      const client = clientOf(server);
      const { token } = await client.signIn('pat@x.test');
      for (const query of [
        `sso_token=${token}`,
        `sso_token=${token}&next=//evil.test`,
        `sso_token=${token}&one_time_token=1`,
        `sso_token=${token}`,
      ]) {
        await client.get(`/auth?${query}`);
        await client.get(`/vc/next/auth?next=/u&${query}`);
      }
      expect(server.logText()).to.not.include(token);
    });

    it('X2 of twenty parallel uses with one_time_token one opens a session', async () => {
      const client = clientOf(server);
      const { token } = await client.signIn('pat@x.test');
      const url = `/auth?sso_token=${token}&one_time_token=1`;
      const answers = await Promise.all(Array.from({ length: 20 }, () => client.get(url)));
      expect(answers.filter(({ status }) => status === 303)).to.have.length(1);
    });

    it('S1 the session gets a new id, whatever the browser had, and the one before ends', async () => {
      const client = clientOf(server);
      const { token } = await client.signIn('pat@x.test');
      const cookies = (answer: Answer) =>
        answer.headers.getSetCookie().map((line) => line.split(';')[0] ?? '');
      const first = cookies(await client.get(`/auth?sso_token=${token}`));
      expect(first).to.not.have.length(0);
      const account = async (held: readonly string[]) =>
        (await client.get('/account', { cookie: held.join('; ') })).status;
      expect(await account(first)).to.equal(200);
      const second = cookies(await client.get(`/auth?sso_token=${token}`, { cookie: first.join('; ') }));
      expect(second.filter((cookie) => first.includes(cookie))).to.deep.equal([]);
      expect(await account(second)).to.equal(200);
      expect(await account(first)).to.equal(303);
    });

    it('LO12 the session ends with the sign-out of the token that opened it, and with a change of the password', async () => {
      const client = clientOf(server);
      await client.post('/users/activate', { first_name: 'Se', last_name: 'Ssion', email: 'session@x.test' });
      const { text } = await server.mail.take('session@x.test');
      const invited = await client.post('/users/login', {
        email: 'session@x.test',
        email_token: /^Your code: ([a-z]{6})$/m.exec(text)?.[1],
      });
      const first = { 'x-apitoken': invited.json.data.token };
      const [password, next] = ['Tundra-Velvet-Beacon-15', 'Gravel-Trellis-Opal-93'];
      expect((await client.post('/me', { password }, first)).status).to.equal(200);
      const enter = async (by: string) =>
        (await client.get(`/auth?sso_token=${by}`)).headers
          .getSetCookie()
          .map((line) => line.split(';')[0])
          .join('; ');
      const account = async (cookie: string) => (await client.get('/account', { cookie })).status;
      const again = await client.post('/users/login', { username: 'session@x.test', password });
      const second = { 'x-apitoken': again.json.data.token };
      const [one, other] = [await enter(first['x-apitoken']), await enter(second['x-apitoken'])];
      expect([await account(one), await account(other)]).to.deep.equal([200, 200]);
      expect((await client.post('/users/logout', {}, first)).status).to.equal(200);
      expect([await account(one), await account(other)]).to.deep.equal([303, 200]);
      const changed = await client.post('/me', { old_password: password, password: next }, second);
      expect(changed.status).to.equal(200);
      expect(await account(other)).to.equal(303);
    });

    it('C3 the session is good for clients of the same organization and of no other', async () => {
      const browser = openWebSession();
      const client = clientOf(server);
      const mara = { username: 'mara@clinic.test', password: 'Harbour-Lantern-Quartz-41' };
      const signedIn = await client.post('/users/login', mara, { 'x-accountcode': 'default' });
      const entered = await browser.request(`${server.url}/auth?sso_token=${signedIn.json.data.token}`);
      expect(entered.status).to.equal(303);
      const own = await askSilently(browser, ownApp);
      expect(own.searchParams.get('error')).to.equal(null);
      expect(own.searchParams.get('code')).to.be.a('string');
      const foreign = await askSilently(browser, clinicdevApp);
      expect(foreign.searchParams.get('error')).to.equal('login_required');
    });

    it('C3 a person of single sign-on is signed in for a client of the clinic, who has yet to consent', async () => {
      const browser = openWebSession();
      const signedIn = await clientOf(server).sso({ code: 'browser', type: 400 });
      await browser.request(`${server.url}/auth?sso_token=${signedIn.json.data.token.token}`);
      const clinic = await askSilently(browser, clinicdevApp);
      expect(clinic.searchParams.get('error')).to.equal('consent_required');
      const foreign = await askSilently(browser, ownApp);
      expect(foreign.searchParams.get('error')).to.equal('login_required');
    });

    /** Where a prompt=none request ends. */
    async function askSilently(browser: WebSession, client: TestClient): Promise<URL> {
      const party = await relyingParty(server.issuer, client);
      const { url } = await party.begin({ prompt: 'none', scope: 'openid' });
      const end = await browser.open(url, [client.redirectUri]);
      if (typeof end !== 'string') throw new Error(`A page of status ${end.status} came: ${end.url}`);
      return new URL(end);
    }

    it('other methods are not this dialect’s', async () => {
      const answer = await clientOf(server).send('POST', '/auth?sso_token=x', {
        body: new URLSearchParams({ a: 'b' }),
      });
      expect(answer.json?.message).to.not.equal('Sorry, this page is not available.');
    });
  });

  describe('bodies', () => {
    const POSTS = [
      '/users/login',
      '/users/sso',
      '/me',
      '/tokens/refresh',
      '/users/reset_password',
      '/users/activate',
      '/users/alive',
      // Last: it ends the sign-in that the others use.
      '/users/logout',
    ];
    const HOSTILE: readonly unknown[] = [
      {},
      { $ne: null },
      { username: { $ne: null }, password: { $gt: '' } },
      { username: ['a'], password: ['b'], email: ['c'], email_token: ['d'], tokens: [{}], refresh_token: {} },
      { username: 'pat@x.test', password: { $regex: '.*' } },
      { __proto__: { admin: true }, constructor: { prototype: { x: 1 } } },
      { first_name: 'a\u0000b', last_name: '\ud800', type: 200, code: 'x' },
      { first_name: 'x'.repeat(60_000), last_name: 1e308, type: 1e308, code: -0 },
      { tokens: 'x,'.repeat(30_000) },
      { heartbeat: Number.MAX_SAFE_INTEGER, dob: '9999-99-99', gps: { lat: 'NaN', long: 'Infinity' } },
      { refresh_token: 'f'.repeat(60_000), email: `${'a'.repeat(30_000)}@x.test` },
      { password: 'x'.repeat(60_000), old_password: '\u0000' },
    ];

    it('C6 H3 hostile members get the vendor’s envelope and never a 5xx', async () => {
      const client = clientOf(server);
      const { token } = await client.signIn('pat@x.test');
      for (const path of POSTS) {
        for (const body of HOSTILE) {
          const answer = await client.post(path, body, { 'x-apitoken': token, 'x-apikey': KEY });
          if (answer.status === 200) continue;
          expect(answer.status, `${path} ${answer.text}`).to.be.within(400, 499);
          expect(answer.json).to.have.all.keys('code', 'message');
          expect(answer.json.code).to.equal(answer.status);
        }
      }
    });

    it('H3 64 KiB are read, a byte more is 413, and so is a megabyte of whatever type', async () => {
      const client = clientOf(server);
      const send = (body: string, type: string) =>
        client.send('POST', '/api_v3/users/login', {
          headers: { 'content-type': type, 'x-accountcode': 'clinicdev' },
          body,
        });
      const padded = (size: number) => {
        const body = JSON.stringify({ username: 'nobody', pad: '' });
        return body.replace('""', `"${'x'.repeat(size - body.length)}"`);
      };
      const large = { code: 413, message: 'Request body is too large.' };
      expect((await send(padded(65_536), 'application/json')).json.message).to.equal('password is required');
      expect((await send(padded(65_537), 'application/json')).json).to.deep.equal(large);
      expect((await send('x'.repeat(1_000_000), 'text/plain')).json).to.deep.equal(large);
      const early = { pad: 'x'.repeat(65_536) };
      const answers = await Promise.all(
        ['/me', '/users/sso', '/nothing'].map((path) =>
          client.post(path, early, { 'x-accountcode': 'nowhere' }),
        ),
      );
      expect(answers.map(({ status }) => status)).to.deep.equal([413, 413, 404]);
    });
  });

  describe('the directory', () => {
    it('searches take every sign literally', async () => {
      const client = clientOf(server);
      const { token } = await client.signIn('doc@x.test');
      for (const q of ['___', '.*.*', '%25%25%25', '$ne', '\\\\x', "'or'1"]) {
        const answer = await client.get(`/api_v3/users?q=${q}`, { 'x-apitoken': token });
        expect(answer.json, q).to.deep.equal({ data: [], total_count: 0 });
      }
    });
  });
});
