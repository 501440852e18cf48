import { readdirSync, readFileSync } from 'node:fs';
import path from 'node:path';
import { expect } from 'chai';
import { KEY_FORMS } from '../../../src/dialects/avycenna/api-keys.ts';
import { createApiKey } from '../../../src/identity/accounts/api-keys.ts';
import { registerAccount } from '../../../src/identity/accounts/create-account.ts';
import { deleteAccount } from '../../../src/identity/accounts/delete-account.ts';
import { setStatus } from '../../../src/identity/accounts/set-status.ts';
import { updateAccount } from '../../../src/identity/accounts/update-account.ts';
import { startTestServer, type TestServer } from '../../support/server.ts';
import { clientOf, newDoctor, PASSWORD, pairOf, said } from './client.ts';

const DEAD_TOKEN = '401 {"detail":"Could not validate credentials"}';
const DEAD_REFRESH = '401 {"detail":"Invalid refresh token"}';
const DEAD_KEY = '401 {"detail":"Invalid API key"}';
const BAD_CODE = '401 {"detail":"Invalid or expired OTP"}';
const BAD_LOGIN = '401 {"detail":"Incorrect email or password"}';

/** Everything that the database has on the disk, its journal included. */
function storedText({ folder }: TestServer): string {
  return readdirSync(folder)
    .map((name) => readFileSync(path.join(folder, name), 'latin1'))
    .join('\n');
}

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

  describe('accounts', () => {
    it('that are blocked lose everything at once, and get nothing back', async () => {
      const client = clientOf(server);
      const { email, accountId } = await newDoctor(server);
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
      const { email, accountId } = await newDoctor(server);
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
      const { email, accountId } = await newDoctor(server);
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
      const { email, accountId } = await newDoctor(server, { emailVerified: false });
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
      const { email, accountId } = await newDoctor(server, { roles: ['nurse', 'patient', 'admin'] });
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
      const deps = { given_name: 'Ana', family_name: 'Reis', phone_number: '+1555' };
      expect(await shown({})).to.deep.equal([email, 'patient', null]);
      expect(await shown({ claims: deps })).to.deep.equal(['Ana Reis', 'patient', '+1555']);
      expect(await shown({ claims: { family_name: 'Reis' } })).to.deep.equal(['Reis', 'patient', null]);
      expect(
        await shown({ claims: { ...deps, name: 'Dr. R' }, vendor: { phone: null, role: 'admin' } }),
      ).to.deep.equal(['Dr. R', 'admin', null]);
      expect(await shown({ claims: deps, vendor: { phone: '7' } })).to.deep.equal([
        'Ana Reis',
        'patient',
        '7',
      ]);
    });

    it('show null where there is no address, and nothing else to call them', async () => {
      const { identity } = server.running;
      const { id } = await registerAccount(identity, {
        organization: 'default',
        account: { username: 'no-address', password: PASSWORD },
      });
      const owned = { organization: 'default', vendor: 'avycenna', accountId: id, name: 'Made elsewhere' };
      const { key } = await createApiKey(identity, { ...owned, scopes: ['read:users'], ...KEY_FORMS });
      const { user } = (await clientOf(server).get('/auth/me', { 'x-api-key': key })).json() as {
        user: object;
      };
      expect(user).to.include({ email: null, name: null, role: 'doctor' });
    });
  });

  describe('API keys', () => {
    it('K2 stop giving admin when their owner is none any more, at once', async () => {
      const client = clientOf(server);
      const { email, accountId } = await newDoctor(server, { roles: ['admin'] });
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

    it('B10 K3 cannot be revoked as tokens, which the client is told; whether there is such a key, it is not', async () => {
      const client = clientOf(server);
      const { email } = await newDoctor(server);
      const { access } = await client.signIn(email, PASSWORD);
      const { key } = await client.makeKey(access, ['read:users']);
      const revoke = (token: string, secret = 'Ledger-Orchard-Signal-88') =>
        client.send({
          method: 'POST',
          path: '/revoke',
          headers: {
            authorization: `Basic ${btoa(`records-api:${secret}`)}`,
            'content-type': 'application/x-www-form-urlencoded',
          },
          body: new URLSearchParams({ token }).toString(),
        });
      const answers = await Promise.all([key, `avk_${'0'.repeat(64)}`, 'avk_'].map((token) => revoke(token)));
      for (const answer of answers) {
        expect(answer.status).to.equal(400);
        expect(answer.json()).to.deep.include({ error: 'unsupported_token_type' });
        expect(answer.text).to.equal(answers[0]?.text);
      }
      expect((await client.get('/auth/me', { 'x-api-key': key })).status, 'it lives on').to.equal(200);
      expect((await revoke(key, 'another secret')).json()).to.include({ error: 'invalid_client' });
      expect((await revoke('no-token-at-all')).status).to.equal(200);
      expect((await revoke(access)).status).to.equal(200);
    });

    it('note their first use at once and later ones once a minute', async () => {
      const client = clientOf(server);
      const { email } = await newDoctor(server);
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
      const { email } = await newDoctor(server);
      const { access, refresh } = await client.signIn(email, PASSWORD);
      const { key } = await client.makeKey(access, ['read:users']);
      await client.get('/auth/me', { 'x-api-key': key });
      const stored = storedText(server);
      expect(stored).to.contain(email);
      for (const secret of [key, access, refresh, PASSWORD]) {
        expect(server.logText()).to.not.contain(secret);
        expect(stored).to.not.contain(secret);
      }
    });

    it('K3 C7 come in the header alone', async () => {
      const client = clientOf(server);
      const { email } = await newDoctor(server);
      const { access } = await client.signIn(email, PASSWORD);
      const { key } = await client.makeKey(access, ['read:users']);
      expect((await client.get('/auth/me', { 'x-api-key': key })).status).to.equal(200);
      for (const name of ['x-api-key', 'X-API-Key', 'api_key', 'apiKey', 'key']) {
        expect((await client.get(`/auth/me?${name}=${key}`)).status, name).to.equal(401);
        expect((await client.get('/auth/me', { cookie: `${name}=${key}` })).status, name).to.equal(401);
      }
    });

    it('K2 B9 make none that outlives them', async () => {
      const client = clientOf(server);
      const { email, accountId } = await newDoctor(server, { roles: ['admin'] });
      const created = await createApiKey(server.running.identity, {
        ...{ organization: 'default', vendor: 'avycenna', accountId, name: 'For a week', scopes: ['admin'] },
        ...KEY_FORMS,
        expiresAt: new Date(Date.now() + 7 * 86_400_000),
      });
      const key = { 'x-api-key': created.key };
      const branch = await client.post('/api-keys', { name: 'Branch', scopes: ['admin'] }, key);
      const { key: second } = branch.json() as { key: string };
      const twig = await client.post(
        '/api-keys',
        { name: 'Twig', scopes: ['admin'] },
        { 'x-api-key': second },
      );
      const { key: third } = twig.json() as { key: string };
      const { access } = await client.signIn(email, PASSWORD);
      const lasting = await client.makeKey(access, ['admin']);
      const use = async (one: string) => (await client.get('/auth/me', { 'x-api-key': one })).status;
      const all = [created.key, second, third, lasting.key];
      expect(await Promise.all(all.map(use))).to.deep.equal([200, 200, 200, 200]);
      ahead = 7 * 86_400_000 + 1000;
      expect(await Promise.all(all.map(use))).to.deep.equal([401, 401, 401, 200]);
      ahead = 0;
    });

    it('K3 B9 guesses are counted by client address: after a hundred wrong keys 429, and a right one comes in', async () => {
      const [guesser, elsewhere] = [clientOf(server), clientOf(server)];
      const { email } = await newDoctor(server);
      const { access } = await guesser.signIn(email, PASSWORD);
      const { key } = await guesser.makeKey(access, ['read:users']);
      const guess = (index: number) =>
        guesser.get('/auth/me', { 'x-api-key': `avk_${String(index).padStart(64, '0')}` });
      for (let index = 0; index < 100; index += 1) expect((await guess(index)).status).to.equal(401);
      const over = await guess(100);
      expect(said(over)).to.equal('429 {"detail":"Too many requests"}');
      expect(Number(over.headers['retry-after'])).to.be.within(800, 900);
      expect((await guesser.get('/auth/me', { 'x-api-key': key })).status).to.equal(200);
      expect((await guesser.get('/auth/me')).status, 'none is no guess').to.equal(401);
      await guesser.signIn(email, PASSWORD);
      expect((await elsewhere.get('/auth/me', { 'x-api-key': 'avk_wrong' })).status).to.equal(401);
    });

    it('of parallel makers are a hundred at most', async () => {
      const client = clientOf(server);
      const { email } = await newDoctor(server);
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
