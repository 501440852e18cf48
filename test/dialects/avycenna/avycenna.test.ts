import { expect } from 'chai';
import { decodeJwt } from 'jose';
import { startTestServer, type TestServer } from '../../support/server.ts';
import { clientOf, PASSWORD, pairOf, said } from './client.ts';

const DEAD_REFRESH = '401 {"detail":"Invalid refresh token"}';
const BAD_LOGIN = '401 {"detail":"Incorrect email or password"}';
const TOO_LARGE = '413 {"detail":"Request body too large"}';

describe('AVYCENNA', () => {
  let server: TestServer;
  before(async () => {
    server = await startTestServer();
  });
  after(() => server.close());

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
    const issueOf = (answer: { text: string }) =>
      (JSON.parse(answer.text) as { detail: { msg: string; type: string }[] }).detail
        .map(({ msg, type }) => `${msg} (${type})`)
        .join(', ');

    it('of names and refresh tokens are counted in code points', async () => {
      const client = clientOf(server);
      const register = (name: string, email: string) =>
        client.post('/auth/register', { name, email, password: PASSWORD });
      expect((await register(owls(100), 'new-l1@x.test')).status).to.equal(201);
      const long = 'ensure this value has at most 100 characters (value_error.any_str.max_length)';
      expect(issueOf(await register(owls(101), 'new-l2@x.test'))).to.equal(long);
      expect(said(await client.refresh(owls(256)))).to.equal(DEAD_REFRESH);
      expect(issueOf(await client.refresh(owls(257)))).to.equal(
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
      expect(issueOf(await login(`${owls(256)}x`))).to.equal(long);
      const register = (password: string) =>
        client.post('/auth/register', { name: 'Dr. Len', email: 'new-len@x.test', password });
      expect(issueOf(await register(`${owls(256)}x`))).to.equal(long);
      const apart = 'Z\u00e9-\u00fcq'.normalize('NFD');
      expect(issueOf(await register(apart))).to.contain('at least 8 characters');
      expect((await register(`${apart}x`)).status).to.equal(201);
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
});
