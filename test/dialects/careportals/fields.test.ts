import { expect } from 'chai';
import { startTestServer, type TestServer } from '../../support/server.ts';
import { clientOf, LEA, NEW_PASSWORD, patient, said } from './client.ts';

const INVALID_TOKEN = '401 {"message":"Invalid token"}';
const UNAUTHORIZED = '401 {"message":"Unauthorized"}';
const BAD_LOGIN = '406 {"message":"Failed to login"}';
const BAD_CREATE = '406 {"message":"Failed to create account"}';
const BAD_UPDATE = '406 {"message":"Failed to update account"}';
const BAD_RESET = '406 {"message":"Failed to reset password"}';
const BAD_FORGOT = '406 {"message":"Failed to request password reset"}';

describe('CarePortals', () => {
  let server: TestServer;
  before(async () => {
    server = await startTestServer();
  });
  after(() => server.close());

  describe('bodies', () => {
    const paths = [
      ['POST', '/patient/auth', BAD_LOGIN],
      ['POST', '/patient/org/auth', BAD_LOGIN],
      ['POST', '/patient/users', BAD_CREATE],
      ['PUT', '/patient/users/account', BAD_UPDATE],
      ['PATCH', '/patient/users/account', BAD_UPDATE],
      ['POST', '/patient/auth/forgot', BAD_FORGOT],
      ['POST', '/patient/auth/reset', BAD_RESET],
    ] as const;

    it('that are no UTF-8 are the 406 of their endpoint', async () => {
      const client = clientOf(server);
      for (const [method, path, expected] of paths) {
        const body = Buffer.from('{"username":"\xff","email":"\xff"}', 'latin1');
        const headers = { organization: 'north_clinic', 'content-type': 'application/json' };
        expect(said(await client.send({ method, path, headers, body })), path).to.equal(expected);
      }
    });

    it('may have 65,536 bytes; one more is 413, and so are two million', async () => {
      const client = clientOf(server);
      const sized = (size: number) => {
        const start = JSON.stringify({ username: LEA.username, password: LEA.password });
        return `${start.slice(0, -1)},"filler":"${'x'.repeat(size - start.length - 12)}"}`;
      };
      const send = (size: number) =>
        client.send({
          method: 'POST',
          path: '/patient/auth',
          headers: { organization: 'north_clinic', 'content-type': 'application/json' },
          body: sized(size),
        });
      expect(sized(65_536)).to.have.length(65_536);
      expect((await send(65_536)).status).to.equal(201);
      expect(said(await send(65_537))).to.equal('413 {"message":"Payload Too Large"}');
      expect(said(await send(2_000_000))).to.equal('413 {"message":"Payload Too Large"}');
    });

    it('that are too large are refused before type, token and organization', async () => {
      const client = clientOf(server);
      const headers = {
        organization: 'none_such',
        'content-type': 'text/plain',
        origin: 'https://shop.test',
      };
      for (const [method, path] of paths) {
        const answer = await client.send({ method, path, headers, body: 'x'.repeat(65_537) });
        expect(said(answer), path).to.equal('413 {"message":"Payload Too Large"}');
        expect(answer.headers['access-control-allow-origin']).to.equal('https://shop.test');
      }
    });
  });

  describe('lengths', () => {
    const owls = (count: number) => '🦉'.repeat(count);

    it('of names are counted in code points', async () => {
      const client = clientOf(server);
      const register = (body: object) => client.post('/patient/users', body);
      expect((await register(patient('new-l1@x.test', { firstName: owls(100) }))).status).to.equal(201);
      expect(said(await register(patient('new-l2@x.test', { firstName: owls(101) })))).to.equal(BAD_CREATE);
      expect(said(await register(patient('new-l2@x.test', { lastName: owls(101) })))).to.equal(BAD_CREATE);
    });

    it('of addresses end at 254, also where they need not look like one', async () => {
      const client = clientOf(server);
      const long = (length: number) => `${'x'.repeat(length - 7)}@x.test`;
      expect((await client.post('/patient/users', patient(long(254)))).status).to.equal(201);
      expect(said(await client.post('/patient/users', patient(long(255))))).to.equal(BAD_CREATE);
      expect(said(await client.post('/patient/auth/forgot', { email: owls(254) }))).to.equal('201 true');
      expect(said(await client.post('/patient/auth/forgot', { email: owls(255) }))).to.equal(BAD_FORGOT);
    });

    it('of what is typed at sign-in are 400 characters and 1,024 bytes', async () => {
      const client = clientOf(server);
      const signIn = (username: string, password: string) =>
        client.post('/patient/auth/login', { username, password });
      expect(said(await signIn(owls(400), 'x'))).to.equal(UNAUTHORIZED);
      expect(said(await signIn(owls(401), 'x'))).to.equal(BAD_LOGIN);
      expect(said(await signIn(` ${owls(400)} `, 'x'))).to.equal(UNAUTHORIZED);
      expect(said(await signIn('lea@x.test', owls(256)))).to.equal(UNAUTHORIZED);
      expect(said(await signIn('lea@x.test', `${owls(256)}x`))).to.equal(BAD_LOGIN);
    });

    it('of new passwords are 8 characters as they were sent, and 1,024 bytes', async () => {
      const client = clientOf(server);
      const register = (email: string, password: string) =>
        client.post('/patient/users', patient(email, { password }));
      const composed = 'Zq\u00e9-k\u00fc7\u00f1';
      expect([...composed]).to.have.length(8);
      expect((await register('new-l3@x.test', composed)).status).to.equal(201);
      const apart = 'Z\u00e9-\u00fcq'.normalize('NFD');
      expect(apart).to.have.length(7);
      expect((await register('new-l4@x.test', `${apart}x`)).status).to.equal(201);
      expect((await register('new-l5@x.test', apart)).text).to.contain('at least 8 characters');
      expect((await register('new-l5@x.test', owls(256))).status).to.equal(201);
      expect(said(await register('new-l6@x.test', `${owls(256)}x`))).to.equal(BAD_CREATE);
    });

    it('of reset tokens are 200 characters; a control character is none of a token', async () => {
      const client = clientOf(server);
      const reset = (token: string) => client.post('/patient/auth/reset', { token, password: NEW_PASSWORD });
      expect(said(await reset(owls(200)))).to.equal(INVALID_TOKEN);
      expect(said(await reset(owls(201)))).to.equal(BAD_RESET);
      expect(said(await reset('rst_\u0000'))).to.equal(BAD_RESET);
      expect(said(await reset('rst_\ud800'))).to.equal(BAD_RESET);
    });

    it('of address lines are 100 characters', async () => {
      const client = clientOf(server);
      const token = await client.signIn();
      const change = (city: string) => client.patch(token, { address: { default: { city } } });
      expect((await change(owls(100))).status).to.equal(200);
      expect(said(await change(owls(101)))).to.equal(BAD_UPDATE);
      expect((await change('')).status).to.equal(200);
    });
  });
});
