import { expect } from 'chai';
import { decodeJwt } from 'jose';
import { deleteAccount } from '../../../src/identity/delete-account.ts';
import { registerAccount } from '../../../src/identity/register-account.ts';
import { setStatus } from '../../../src/identity/set-status.ts';
import { updateAccount } from '../../../src/identity/update-account.ts';
import { startTestServer, type TestServer } from '../../support/server.ts';
import { clientOf, PASSWORD, pairOf, said } from './client.ts';

const DEAD_TOKEN = '401 {"detail":"Could not validate credentials"}';
const DEAD_REFRESH = '401 {"detail":"Invalid refresh token"}';
const DEAD_KEY = '401 {"detail":"Invalid API key"}';
const BAD_CODE = '401 {"detail":"Invalid or expired OTP"}';
const BAD_LOGIN = '401 {"detail":"Incorrect email or password"}';
const TOO_LARGE = '413 {"detail":"Request body too large"}';

describe('AVYCENNA', () => {
  let server: TestServer;
  let ahead = 0;
  before(async () => {
    server = await startTestServer({ clock: { now: () => new Date(Date.now() + ahead) } });
  });
  after(() => server.close());
  beforeEach(() => {
    ahead = 0;
  });

  let people = 0;
  /** A new doctor with a verified address, so that nothing of one test reaches another. */
  async function doctor(more: { roles?: string[]; emailVerified?: boolean } = {}) {
    people += 1;
    const email = `doctor-${people}@x.test`;
    const { id } = await registerAccount(server.running.identity, {
      organization: 'default',
      account: { email, emailVerified: true, password: PASSWORD, roles: ['doctor'], ...more },
    });
    return { email, accountId: id };
  }

  describe('bodies', () => {
    it('that are no UTF-8 are no JSON', async () => {
      const client = clientOf(server);
      for (const path of [
        '/auth/login',
        '/auth/register',
        '/auth/refresh',
        '/auth/otp/send',
        '/auth/otp/verify',
      ]) {
        const answer = await client.send({
          method: 'POST',
          path: `/api/v1${path}`,
          headers: { 'content-type': 'application/json; charset=latin1' },
          body: Buffer.from('{"email":"d\xff@x.test"}', 'latin1'),
        });
        expect(said(answer), path).to.equal(
          '422 {"detail":[{"loc":["body"],"msg":"Invalid JSON","type":"value_error.jsondecode"}]}',
        );
      }
    });

    it('may have 65,536 bytes; one more is 413, before the credential, and after the encoding', async () => {
      const client = clientOf(server);
      const send = (size: number, headers: Record<string, string> = {}, path = '/api/v1/auth/login') => {
        const start = JSON.stringify({ email: 'dr@clinic.test', password: 'Saffron-Glacier-Pilot-19' });
        const body = `${start.slice(0, -1)},"filler":"${'x'.repeat(size - start.length - 12)}"}`;
        return client.send({ method: 'POST', path, headers, body });
      };
      expect((await send(65_536)).status).to.equal(200);
      expect(said(await send(65_537))).to.equal(TOO_LARGE);
      expect(said(await send(2_000_000))).to.equal(TOO_LARGE);
      expect(said(await send(65_537, {}, '/api/v1/auth/logout'))).to.equal(TOO_LARGE);
      expect(said(await send(65_537, { 'content-type': 'text/plain' }))).to.equal(TOO_LARGE);
      expect((await send(65_537, { 'content-encoding': 'gzip' })).status).to.equal(415);
    });

    it('of GET and DELETE are not even measured', async () => {
      const client = clientOf(server);
      const { access } = await client.signIn();
      const headers = { authorization: `Bearer ${access}` };
      const body = 'x'.repeat(70_000);
      const me = await client.send({ method: 'GET', path: '/api/v1/auth/me', headers, body });
      expect(me.status).to.equal(200);
    });
  });

  describe('lengths', () => {
    const owls = (count: number) => '🦉'.repeat(count);
    const faultOf = (answer: { text: string }) =>
      (JSON.parse(answer.text) as { detail: { msg: string; type: string }[] }).detail
        .map(({ msg, type }) => `${msg} (${type})`)
        .join(', ');

    it('of names and refresh tokens are counted in code points', async () => {
      const client = clientOf(server);
      const register = (name: string, email: string) =>
        client.post('/auth/register', { name, email, password: PASSWORD });
      expect((await register(owls(100), 'new-l1@x.test')).status).to.equal(201);
      const long = 'ensure this value has at most 100 characters (value_error.any_str.max_length)';
      expect(faultOf(await register(owls(101), 'new-l2@x.test'))).to.equal(long);
      expect(said(await client.refresh(owls(256)))).to.equal(DEAD_REFRESH);
      expect(faultOf(await client.refresh(owls(257)))).to.equal(
        'ensure this value has at most 256 characters (value_error.any_str.max_length)',
      );
    });

    it('of addresses are 254 characters, 64 of them before the @', async () => {
      const client = clientOf(server);
      const send = async (email: string) => (await client.post('/auth/otp/send', { email })).status;
      const domain = (length: number) => `${'d'.repeat(length - 5)}.test`;
      expect(await send(`${'x'.repeat(64)}@x.test`)).to.equal(200);
      expect(await send(`${'x'.repeat(65)}@x.test`)).to.equal(422);
      expect(await send(`x@${domain(252)}`)).to.equal(200);
      expect(await send(`x@${domain(253)}`)).to.equal(422);
      expect(await send(`  x@${domain(252)}\n`)).to.equal(200);
    });

    it('of passwords are 1,024 bytes, and 8 characters as they were sent', async () => {
      const client = clientOf(server);
      const login = (password: string) => client.post('/auth/login', { email: 'dr@clinic.test', password });
      expect(said(await login(owls(256)))).to.equal(BAD_LOGIN);
      const long = 'ensure this value has at most 1024 bytes (value_error.any_str.max_length)';
      expect(faultOf(await login(`${owls(256)}x`))).to.equal(long);
      const register = (password: string) =>
        client.post('/auth/register', { name: 'Dr. Len', email: 'new-len@x.test', password });
      expect(faultOf(await register(`${owls(256)}x`))).to.equal(long);
      const apart = 'Z\u00e9-\u00fcq'.normalize('NFD');
      expect(faultOf(await register(apart))).to.contain('at least 8 characters');
      expect((await register(`${apart}x`)).status).to.equal(201);
    });
  });

  describe('codes', () => {
    it('O7 stand alone: no other word of six digits is in the letter or its headers', async () => {
      const client = clientOf(server);
      for (let count = 0; count < 5; count += 1) {
        await client.post('/auth/otp/send', { email: 'codes@clinic.test' });
        const letter = await server.mail.take('codes@clinic.test');
        const words = (text: string) => text.match(/(?<![\w])\d{6}(?![\w])/g) ?? [];
        const [code, ...more] = new Set(words(letter.text));
        expect(code).to.match(/^\d{6}$/);
        expect(more).to.deep.equal([]);
        for (const word of words(letter.html)) expect(word).to.equal(code);
        for (const [name, value] of letter.headers) expect(words(value), name).to.deep.equal([]);
        expect(words(letter.subject)).to.deep.equal([]);
        expect(server.logText()).to.not.contain(`"${code}"`);
        await new Promise((resolve) => setTimeout(resolve, 5));
      }
    });

    it('O2 X3 live ten minutes', async () => {
      const client = clientOf(server);
      const { email } = await doctor();
      const otp = await client.code(email);
      ahead = 601_000;
      expect(said(await client.post('/auth/otp/verify', { email, otp }))).to.equal(BAD_CODE);
      ahead = 0;
      const fresh = await client.code(email);
      ahead = 595_000;
      expect((await client.post('/auth/otp/verify', { email, otp: fresh })).status).to.equal(200);
    });

    it('O3 X2 are spent by exactly one of fifty parallel uses', async () => {
      const client = clientOf(server);
      const { email } = await doctor();
      const otp = await client.code(email);
      const answers = await Promise.all(
        Array.from({ length: 50 }, () => clientOf(server).post('/auth/otp/verify', { email, otp })),
      );
      expect(answers.filter(({ status }) => status === 200)).to.have.length(1);
      for (const answer of answers) {
        if (answer.status !== 200) expect(said(answer)).to.equal(BAD_CODE);
      }
    });

    it('O4 are dead after five wrong tries, however parallel', async () => {
      const client = clientOf(server);
      const { email } = await doctor();
      const otp = await client.code(email);
      const wrong = otp === '000000' ? '000001' : '000000';
      const answers = await Promise.all(
        Array.from({ length: 30 }, () => clientOf(server).post('/auth/otp/verify', { email, otp: wrong })),
      );
      expect(new Set(answers.map(said))).to.deep.equal(new Set([BAD_CODE]));
      expect(said(await client.post('/auth/otp/verify', { email, otp }))).to.equal(BAD_CODE);
      const next = await client.code(email);
      expect((await client.post('/auth/otp/verify', { email, otp: next })).status).to.equal(200);
    });

    it('O6 are none of another organization, nor of another address', async () => {
      const client = clientOf(server);
      const { email } = await doctor();
      const { email: other } = await doctor();
      const otp = await client.code(email);
      expect(said(await client.post('/auth/otp/verify', { email: other, otp }))).to.equal(BAD_CODE);
      expect(said(await client.post('/auth/otp/verify', { email: 'lea@x.test', otp }))).to.equal(BAD_CODE);
      expect((await client.post('/auth/otp/verify', { email, otp })).status).to.equal(200);
    });
  });

  describe('registration', () => {
    it('X4 of twenty parallel ones of one address makes one account', async () => {
      const answers = await Promise.all(
        Array.from({ length: 20 }, (_, index) =>
          clientOf(server).post('/auth/register', {
            name: `Dr. ${index}`,
            email: index % 2 === 0 ? 'New-Race@x.test' : ' new-race@X.TEST',
            password: PASSWORD,
          }),
        ),
      );
      expect(answers.filter(({ status }) => status === 201)).to.have.length(1);
      expect(answers.filter(({ status }) => status === 409)).to.have.length(19);
    });

    it('stores what it promises, and may sign in at once', async () => {
      const client = clientOf(server);
      const body = { name: 'Dr. Kept', email: 'Kept@x.test', password: PASSWORD, role: 'admin' };
      const { access } = pairOf(await client.post('/auth/register', body));
      const account = await server.running.stores.accounts.byEmail('default', 'kept@x.test');
      expect(account).to.include({ email: 'kept@x.test', emailVerified: false, status: 'active' });
      expect(account?.claims).to.deep.equal({ name: 'Dr. Kept' });
      expect(account?.aliases.avycenna).to.match(/^usr_[0-9A-Za-z]{8}$/);
      expect(decodeJwt(access)).to.include({
        user_id: account?.aliases.avycenna,
        sub: account?.id,
        role: 'doctor',
      });
    });
  });

  describe('sessions', () => {
    it('T8 ten refreshes in flight together get one successor, and it is good', async () => {
      const client = clientOf(server);
      const { email } = await doctor();
      for (let round = 0; round < 3; round += 1) {
        const { refresh } = await client.signIn(email, PASSWORD);
        const answers = await Promise.all(
          Array.from({ length: 10 }, () => clientOf(server).refresh(refresh)),
        );
        const good = answers.filter(({ status }) => status === 200);
        // A call that arrives after the first was answered is a later use.
        expect(good.length).to.be.at.least(1);
        for (const answer of answers) if (answer.status !== 200) expect(said(answer)).to.equal(DEAD_REFRESH);
        const successors = new Set(good.map((answer) => pairOf(answer).refresh));
        expect(successors).to.have.property('size', 1);
        const [successor = ''] = successors;
        expect((await client.refresh(successor)).status).to.equal(200);
      }
    });

    it('T9 a later use within the leeway is refused and ends nothing', async () => {
      const client = clientOf(server);
      const { email } = await doctor();
      const { refresh } = await client.signIn(email, PASSWORD);
      const next = pairOf(await client.refresh(refresh));
      const afterNext = pairOf(await client.refresh(next.refresh));
      ahead = 9000;
      expect(said(await client.refresh(refresh))).to.equal(DEAD_REFRESH);
      expect(said(await client.refresh(next.refresh))).to.equal(DEAD_REFRESH);
      expect((await client.me(next.access)).status).to.equal(200);
      expect((await client.refresh(afterNext.refresh)).status).to.equal(200);
    });

    it('T7 a use after the leeway ends this sign-in, not the others nor the keys', async () => {
      const client = clientOf(server);
      const { email } = await doctor();
      const other = await client.signIn(email, PASSWORD);
      const first = await client.signIn(email, PASSWORD);
      const { key } = await client.makeKey(other.access, ['read:users']);
      const next = pairOf(await client.refresh(first.refresh));
      ahead = 11_000;
      const last = pairOf(await client.refresh(next.refresh));
      // The leeway runs from each token's own rotation: this one's is not over.
      expect(said(await client.refresh(next.refresh))).to.equal(DEAD_REFRESH);
      expect((await client.me(last.access)).status).to.equal(200);
      expect(said(await client.refresh(first.refresh))).to.equal(DEAD_REFRESH);
      for (const { access } of [first, next, last])
        expect(said(await client.me(access))).to.equal(DEAD_TOKEN);
      expect(said(await client.refresh(last.refresh))).to.equal(DEAD_REFRESH);
      expect((await client.me(other.access)).status).to.equal(200);
      expect((await client.get('/auth/me', { 'x-api-key': key })).status).to.equal(200);
      expect((await client.refresh(other.refresh)).status).to.equal(200);
    });

    it('T11 X3 an access token lives fifteen minutes, a refresh token thirty days from its rotation', async () => {
      const client = clientOf(server);
      const { email } = await doctor();
      const day = 86_400_000;
      const first = await client.signIn(email, PASSWORD);
      const idle = await client.signIn(email, PASSWORD);
      ahead = 895_000;
      expect((await client.me(first.access)).status).to.equal(200);
      ahead = 901_000;
      expect(said(await client.me(first.access))).to.equal(DEAD_TOKEN);
      ahead = 29 * day;
      const next = pairOf(await client.refresh(first.refresh));
      ahead = 31 * day;
      expect(said(await client.refresh(idle.refresh))).to.equal(DEAD_REFRESH);
      expect((await client.refresh(next.refresh)).status).to.equal(200);
    });

    it('sign-out of the session of a superseded token, a month later', async () => {
      const client = clientOf(server);
      const { email } = await doctor();
      const first = await client.signIn(email, PASSWORD);
      const next = pairOf(await client.refresh(first.refresh));
      ahead = 20 * 86_400_000;
      const now = await client.signIn(email, PASSWORD);
      const headers = { authorization: `Bearer ${now.access}` };
      const answer = await client.post('/auth/logout', { refresh_token: first.refresh }, headers);
      expect(said(answer)).to.equal('200 {"message":"Logged out"}');
      expect(said(await client.refresh(next.refresh))).to.equal(DEAD_REFRESH);
      expect((await client.me(now.access)).status).to.equal(200);
    });
  });

  describe('accounts', () => {
    it('that are blocked lose everything at once, and get nothing back', async () => {
      const client = clientOf(server);
      const { email, accountId } = await doctor();
      const { access, refresh } = await client.signIn(email, PASSWORD);
      const { key } = await client.makeKey(access, ['read:users']);
      const otp = await client.code(email);
      const all = async () => [
        said(await client.me(access)),
        said(await client.refresh(refresh)),
        said(await client.get('/auth/me', { 'x-api-key': key })),
        said(await client.post('/auth/otp/verify', { email, otp })),
      ];
      const dead = [DEAD_TOKEN, DEAD_REFRESH, DEAD_KEY, BAD_CODE];
      await setStatus(server.running.identity, { accountId, status: 'blocked' });
      expect(await all()).to.deep.equal(dead);
      expect(said(await client.post('/auth/login', { email, password: PASSWORD }))).to.equal(BAD_LOGIN);
      await setStatus(server.running.identity, { accountId, status: 'active' });
      expect(await all()).to.deep.equal(dead);
      expect((await client.post('/auth/login', { email, password: PASSWORD })).status).to.equal(200);
    });

    it('that are inactive count as blocked', async () => {
      const client = clientOf(server);
      const { email, accountId } = await doctor();
      const { access, refresh } = await client.signIn(email, PASSWORD);
      await setStatus(server.running.identity, { accountId, status: 'inactive' });
      expect(said(await client.me(access))).to.equal(DEAD_TOKEN);
      expect(said(await client.refresh(refresh))).to.equal(DEAD_REFRESH);
      expect(said(await client.post('/auth/login', { email, password: PASSWORD }))).to.equal(BAD_LOGIN);
      const sent = await client.post('/auth/otp/send', { email });
      expect(sent.json()).to.deep.equal({ message: `OTP sent to ${email}`, expires_in_minutes: 10 });
      expect((await client.post('/auth/register', { name: 'X', email, password: PASSWORD })).status).to.equal(
        409,
      );
    });

    it('that are deleted lose tokens and keys', async () => {
      const client = clientOf(server);
      const { email, accountId } = await doctor();
      const { access, refresh } = await client.signIn(email, PASSWORD);
      const { key } = await client.makeKey(access, ['read:users']);
      await deleteAccount(server.running.identity, { accountId });
      expect(said(await client.me(access))).to.equal(DEAD_TOKEN);
      expect(said(await client.refresh(refresh))).to.equal(DEAD_REFRESH);
      expect(said(await client.get('/auth/me', { 'x-api-key': key }))).to.equal(DEAD_KEY);
      expect((await client.post('/auth/register', { name: 'X', email, password: PASSWORD })).status).to.equal(
        201,
      );
    });

    it('F5 reclaimed by a code keep id, name and profile', async () => {
      const client = clientOf(server);
      const { email, accountId } = await doctor({ emailVerified: false });
      await updateAccount(server.running.identity, accountId, (account) => ({
        ...account,
        claims: { name: 'Dr. Kept' },
        vendor: { avycenna: { specialty: 'Surgery', phone: '5' } },
      }));
      const squatter = await client.signIn(email, PASSWORD);
      const before = (await client.me(squatter.access)).text;
      const { access } = pairOf(
        await client.post('/auth/otp/verify', { email, otp: await client.code(email) }),
      );
      expect((await client.me(access)).text).to.equal(before);
      expect(said(await client.me(squatter.access))).to.equal(DEAD_TOKEN);
      expect(said(await client.post('/auth/login', { email, password: PASSWORD }))).to.equal(BAD_LOGIN);
    });

    it('show a name of parts, an address where there is none, and a role of their own', async () => {
      const client = clientOf(server);
      const { email, accountId } = await doctor({ roles: ['nurse', 'patient', 'admin'] });
      const { access } = await client.signIn(email, PASSWORD);
      const shown = async (change: { claims?: object; vendor?: Record<string, string | null> }) => {
        await updateAccount(server.running.identity, accountId, (account) => ({
          ...account,
          claims: { ...change.claims },
          vendor: change.vendor === undefined ? {} : { avycenna: change.vendor },
        }));
        const { user, profile } = (await client.me(access)).json() as {
          user: { name: string; role: string };
          profile: { phone: string | null };
        };
        return [user.name, user.role, profile.phone];
      };
      const parts = { given_name: 'Ana', family_name: 'Reis', phone_number: '+1555' };
      expect(await shown({})).to.deep.equal([email, 'patient', null]);
      expect(await shown({ claims: parts })).to.deep.equal(['Ana Reis', 'patient', '+1555']);
      expect(await shown({ claims: { family_name: 'Reis' } })).to.deep.equal(['Reis', 'patient', null]);
      expect(
        await shown({ claims: { ...parts, name: 'Dr. R' }, vendor: { phone: null, role: 'admin' } }),
      ).to.deep.equal(['Dr. R', 'admin', null]);
      expect(await shown({ claims: parts, vendor: { phone: '7' } })).to.deep.equal([
        'Ana Reis',
        'patient',
        '7',
      ]);
    });
  });

  describe('API keys', () => {
    it('K2 stop giving admin when their owner is none any more, at once', async () => {
      const client = clientOf(server);
      const { email, accountId } = await doctor({ roles: ['admin'] });
      const { access } = await client.signIn(email, PASSWORD);
      const { key } = await client.makeKey(access, ['admin', 'read:health']);
      const headers = { 'x-api-key': key };
      expect((await client.get('/api-keys', headers)).status).to.equal(200);
      await updateAccount(server.running.identity, accountId, (account) => ({
        ...account,
        roles: ['doctor'],
      }));
      for (const path of ['/api-keys', '/auth/me']) {
        expect(said(await client.get(path, headers)), path).to.equal('403 {"detail":"Insufficient scope"}');
      }
      const asked = await client.send({
        method: 'POST',
        path: '/introspect',
        headers: {
          authorization: `Basic ${btoa('records-api:Ledger-Orchard-Signal-88')}`,
          'content-type': 'application/x-www-form-urlencoded',
        },
        body: `token=${key}`,
      });
      expect(asked.json()).to.include({ active: true, role: 'doctor', scope: 'read:health' });
    });

    it('note their first use at once and later ones once a minute', async () => {
      const client = clientOf(server);
      const { email } = await doctor();
      const { access } = await client.signIn(email, PASSWORD);
      const { key } = await client.makeKey(access, ['read:users']);
      const used = async () => {
        const list = (await client.get('/api-keys', { authorization: `Bearer ${access}` })).json();
        return (list as { last_used_at: string | null }[])[0]?.last_used_at;
      };
      expect(await used()).to.equal(null);
      const use = () => client.get('/auth/me', { 'x-api-key': key });
      await use();
      const first = await used();
      expect(first).to.match(/^\d{4}-\d\d-\d\dT\d\d:\d\d:\d\dZ$/);
      ahead = 50_000;
      await use();
      expect(await used()).to.equal(first);
      ahead = 62_000;
      await use();
      expect(await used()).to.not.equal(first);
    });

    it('K1 X1 are in no log, and not in the store as they are', async () => {
      const client = clientOf(server);
      const { email } = await doctor();
      const { access, refresh } = await client.signIn(email, PASSWORD);
      const { key } = await client.makeKey(access, ['read:users']);
      await client.get('/auth/me', { 'x-api-key': key });
      for (const secret of [key, access, refresh, PASSWORD]) expect(server.logText()).to.not.contain(secret);
    });

    it('of parallel makers are a hundred at most', async () => {
      const client = clientOf(server);
      const { email } = await doctor();
      const { access } = await client.signIn(email, PASSWORD);
      for (let count = 0; count < 95; count += 1) await client.makeKey(access, ['read:users']);
      const answers = await Promise.all(
        Array.from({ length: 12 }, () =>
          client.post(
            '/api-keys',
            { name: 'K', scopes: ['read:users'] },
            { authorization: `Bearer ${access}` },
          ),
        ),
      );
      expect(answers.filter(({ status }) => status === 201)).to.have.length(5);
      expect(answers.filter(({ status }) => status === 409)).to.have.length(7);
    });
  });
});
