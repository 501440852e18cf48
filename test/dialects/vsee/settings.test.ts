import { setTimeout } from 'node:timers/promises';
import { expect } from 'chai';
import type { Clock } from '../../../src/core/clock.ts';
import { startTestServer, type TestServer } from '../../support/server.ts';
import { clientOf, KEY, SECRET } from './client.ts';

/** As over a network: between a look and what is done about it, others look too. */
function looksTakeTime({ running }: TestServer): () => void {
  const { leases } = running.stores;
  const { read } = leases;
  Object.assign(leases, {
    async read(...asked: Parameters<typeof read>) {
      const result = await read(...asked);
      await setTimeout(50);
      return result;
    },
  });
  return () => Object.assign(leases, { read });
}

describe('VSee with strict settings', () => {
  let server: TestServer;
  let ahead = 0;
  const clock: Clock = { now: () => new Date(Date.now() + ahead) };

  before(async () => {
    server = await startTestServer({
      clock,
      config: {
        dialects: {
          vsee: {
            ssoTicket: 'strict',
            requireApiSecret: true,
            registration: 'off',
            passwordMinimum: 20,
            filesBase: 'https://files.test/photos/',
            portal: 'https://portal.test/app',
            organization: 'clinicdev',
            limits: { letters: '2/1h' },
          },
        },
      },
    });
  });
  after(() => server.close());

  it('C4 X2 of twenty parallel uses of one sso_token one opens a session, and it stays an API token', async () => {
    const client = clientOf(server);
    const { token } = await client.signIn('pat@x.test');
    const head = await client.send('HEAD', `/auth?sso_token=${token}&next=/u`);
    expect(head.status).to.equal(303);
    const undo = looksTakeTime(server);
    const answers = await Promise.all(
      Array.from({ length: 20 }, () => client.get(`/auth?sso_token=${token}&next=/u`)),
    );
    undo();
    expect(answers.filter(({ status }) => status === 303)).to.have.length(1);
    expect(answers.filter(({ status }) => status === 401)).to.have.length(19);
    for (const answer of answers) {
      expect(answer.headers.has('set-cookie')).to.equal(answer.status === 303);
      const where = answer.status === 303 ? 'http://portal.clinicdev.test/u' : null;
      expect(answer.headers.get('location')).to.equal(where);
      expect(answer.headers.get('referrer-policy')).to.equal('no-referrer');
    }
    expect((await client.get('/api_v3/me', { 'x-apitoken': token })).status).to.equal(200);
  });

  it('C4 a refused next spends nothing', async () => {
    const client = clientOf(server);
    const { token } = await client.signIn('pat@x.test');
    expect((await client.get(`/auth?sso_token=${token}&next=//evil.test`)).status).to.equal(400);
    expect((await client.get(`/auth?sso_token=${token}`, { purpose: 'prefetch' })).status).to.equal(503);
    expect((await client.get(`/auth?sso_token=${token}`)).status).to.equal(303);
  });

  it('C4 a token older than sixty seconds opens no session', async () => {
    const client = clientOf(server);
    const { token } = await client.signIn('pat@x.test');
    ahead = 62_000;
    try {
      expect((await client.get(`/auth?sso_token=${token}`)).status).to.equal(401);
    } finally {
      ahead = 0;
    }
  });

  it('the API secret must come with the key', async () => {
    const client = clientOf(server);
    const person = { first_name: 'Kim', last_name: 'Ray', type: 600 };
    const refused = { code: 401, message: 'Invalid API key.' };
    for (const headers of [
      { 'x-apikey': KEY },
      { 'x-apikey': KEY, 'x-apisecret': ' ' },
      { 'x-apikey': KEY, 'x-apisecret': KEY },
    ]) {
      expect((await client.post('/users/sso', person, headers)).json).to.deep.equal(refused);
    }
    const right = await client.post('/users/sso', person, { 'x-apikey': KEY, 'x-apisecret': SECRET });
    expect(right.status).to.equal(200);
  });

  it('registration is refused before the body is read, and after the account code', async () => {
    const client = clientOf(server);
    const broken = { 'content-type': 'text/plain' };
    const off = { code: 403, message: 'You are not authorized to perform this action.' };
    expect((await client.post('/users/activate', {}, broken)).json).to.deep.equal(off);
    const unknown = await client.post('/users/activate', {}, { ...broken, 'x-accountcode': 'nowhere' });
    expect(unknown.json).to.deep.equal({ code: 401, message: 'Invalid account code.' });
  });

  it('the password minimum stands in the text', async () => {
    const client = clientOf(server);
    const { token } = await client.signIn('pat@x.test');
    const answer = await client.post(
      '/me',
      { old_password: 'Willow-Compass-Ember-87', password: 'x'.repeat(19) },
      { 'x-apitoken': token },
    );
    expect(answer.json).to.deep.equal({ code: 400, message: 'Password must be at least 20 characters.' });
  });

  it('a photo is a file id behind filesBase', async () => {
    const client = clientOf(server);
    const { token } = await client.signIn('pat@x.test');
    const own = { 'x-apitoken': token };
    for (const wrong of ['../x', 'a/b', 'a?b', 'a b', 'https://evil.test/x', 'x'.repeat(65), 5]) {
      expect((await client.post('/me', { photo: wrong }, own)).json.message, String(wrong)).to.equal(
        'Invalid photo',
      );
    }
    const id = '57e8c9a2-5c30-4b2c-b9d0-11d6ac1f0144';
    const changed = await client.post('/me', { photo: id }, own);
    expect(changed.json.data.photo).to.equal(`https://files.test/photos/${id}`);
  });

  it('the portal of the settings serves organizations without one, and the default organization needs no code', async () => {
    const client = clientOf(server);
    const signedIn = await client.send('POST', '/api_v3/users/login', {
      headers: { 'x-accountcode': '' },
      body: new URLSearchParams({ username: 'doc@x.test', password: 'Cobalt-Ferry-Thistle-26' }),
    });
    expect(signedIn.status).to.equal(200);
    const plain = await client.post(
      '/users/login',
      { username: 'doc@x.test', password: 'Cobalt-Ferry-Thistle-26' },
      { 'x-accountcode': '' },
    );
    const target = await client.get(`/vc/next/auth?sso_token=${plain.json.data.token}&next=/u`);
    expect(target.headers.get('location')).to.equal('http://portal.clinicdev.test/vc/next/u');
  });

  it('the emails’ limit is the settings’', async () => {
    const client = clientOf(server);
    const ask = () => client.post('/users/reset_password', { email: 'ghost@x.test' });
    expect([(await ask()).status, (await ask()).status, (await ask()).status]).to.deep.equal([200, 200, 429]);
  });
});

describe('VSee as time goes by', () => {
  const DAY = 86_400_000;
  let server: TestServer;
  let ahead = 0;

  before(async () => {
    server = await startTestServer({ clock: { now: () => new Date(Date.now() + ahead) } });
  });
  after(() => server.close());

  it('B9 T11 a line of refresh tokens ends 180 days after its sign-in, however often it is rotated', async () => {
    const client = clientOf(server);
    let { refresh } = await client.signIn('pat@x.test');
    const began = Math.floor(Date.now() / 1000);
    const rotate = () => client.post('/tokens/refresh', { refresh_token: refresh });
    for (const days of [29, 58, 87, 116, 145, 174, 179]) {
      ahead = days * DAY;
      const { status, json } = await rotate();
      expect(status, `${days} days`).to.equal(200);
      refresh = json.data.refresh_token.token;
      const expected = Math.min(days + 30, 180) * 86_400;
      expect(json.data.refresh_token.expiry - began, `${days} days`).to.be.within(expected - 5, expected + 5);
    }
    ahead = 180 * DAY + 5000;
    const late = await rotate();
    expect(late.json).to.deep.equal({ code: 401, message: 'Invalid or expired token.' });
  });

  it('B9 T11 a line that began before lines had an end gets one at its next rotation', async () => {
    ahead = 0;
    const client = clientOf(server);
    const { stores, oidc } = server.running;
    const account = await stores.accounts.byEmail('clinicdev', 'pat@x.test');
    const issued = await oidc.grants.issue({
      ...{ clientId: 'vsee-legacy', accountId: account?.id ?? '', organization: 'clinicdev', scope: 'vsee' },
      amr: ['pwd'],
      access: { value: 'a'.repeat(32), lifetime: 86_400, audience: `${server.issuer}/api_v3`, claims: {} },
      refresh: { value: 'b'.repeat(32), lifetime: 2_592_000 },
    });
    let refresh = issued.refresh?.value;
    const began = Math.floor(Date.now() / 1000);
    for (const days of [20, 49, 78, 107, 136, 165, 194, 199]) {
      ahead = days * DAY;
      const { status, json } = await client.post('/tokens/refresh', { refresh_token: refresh });
      expect(status, `${days} days`).to.equal(200);
      refresh = json.data.refresh_token.token;
      const expected = Math.min(days + 30, 200) * 86_400;
      expect(json.data.refresh_token.expiry - began, `${days} days`).to.be.within(expected - 5, expected + 5);
    }
  });
});
