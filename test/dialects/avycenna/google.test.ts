import { expect } from 'chai';
import { registerAccount } from '../../../src/identity/accounts/create-account.ts';
import { setStatus } from '../../../src/identity/accounts/set-status.ts';
import { updateAccount } from '../../../src/identity/accounts/update-account.ts';
import { linkIdentity } from '../../../src/identity/upstream/link-identity.ts';
import { startTestServer, type TestServer } from '../../support/server.ts';
import { clientOf, PASSWORD } from './client.ts';
import { accessOf, DROPPED, gmail, type Landing, signInWithGoogle } from './google.ts';

const DASHBOARD = 'https://web.avycenna.com/dashboard';
const NATIVE = 'avycenna://signed-in?from=google';
const INVALID_STATE = '{"detail":"Invalid OAuth state"}';

describe('AVYCENNA with Google', () => {
  let server: TestServer;
  let ahead = 0;
  before(async () => {
    server = await startTestServer({
      clock: { now: () => new Date(Date.now() + ahead) },
      config: { dialects: { avycenna: { nativeRedirectUris: [NATIVE] } } },
    });
  });
  after(() => server.close());
  beforeEach(() => {
    ahead = 0;
    server.upstream.setDown(false);
  });

  const enter = (person: Record<string, unknown> | 'denied', options = {}) =>
    signInWithGoogle(server, person, options);
  const accountAt = async (email: string) => {
    const account = await server.running.stores.accounts.byEmail('default', email);
    if (account === undefined) throw new Error(`There is nobody at ${email}.`);
    return account;
  };

  function expectError(landing: Landing, error: string): void {
    expect(landing.status).to.equal(302);
    expect(landing.location).to.equal(`${DASHBOARD}?error=${error}`);
    expect(landing.cookies).to.deep.equal([DROPPED]);
    expect(landing.headers['referrer-policy']).to.equal('no-referrer');
    expect(landing.headers['cache-control']).to.contain('no-store');
  }

  function expectRefused(landing: {
    status: number;
    headers: Landing['headers'];
    cookies: readonly string[];
    text: string;
  }) {
    expect([landing.status, landing.text]).to.deep.equal([400, INVALID_STATE]);
    expect(landing.headers.location).to.equal(undefined);
    expect(landing.cookies).to.deep.equal([DROPPED]);
    expect(landing.headers['referrer-policy']).to.equal('no-referrer');
  }

  it('lands on the dashboard with two cookies and nothing in the URL', async () => {
    const landing = await enter(gmail('new'));
    expect([landing.status, landing.location, landing.text]).to.deep.equal([302, DASHBOARD, '']);
    expect(landing.headers['referrer-policy']).to.equal('no-referrer');
    const [dropped, access, refresh, ...more] = landing.cookies;
    expect(dropped).to.equal(DROPPED);
    expect(access).to.match(
      /^access_token=[\w-]+\.[\w-]+\.[\w-]+; Max-Age=900; Path=\/; HttpOnly; SameSite=Lax$/,
    );
    expect(refresh).to.match(
      /^refresh_token=rt_[0-9a-f]{64}; Max-Age=2592000; Path=\/; HttpOnly; SameSite=Lax$/,
    );
    expect(more).to.deep.equal([]);
  });

  it('makes an account with the name, the verified address and the default role, once', async () => {
    const first = await enter(gmail('once'));
    const client = clientOf(server);
    const me = (await client.me(accessOf(first))).json() as {
      user: Record<string, string>;
      profile: unknown;
    };
    expect(me.user).to.include({ email: 'once@gmail.com', name: 'Dr. once', role: 'doctor' });
    expect(me.profile).to.deep.equal({ specialty: null, institution: null, phone: null });
    const created = await accountAt('once@gmail.com');
    expect([created.emailVerified, created.passwordHash]).to.deep.equal([true, undefined]);
    const again = await enter(gmail('once', { email: 'renamed@gmail.com', name: 'Dr. Else' }));
    expect((await client.me(accessOf(again))).json()).to.deep.equal(me);
  });

  it('B2 neither links nor signs in an account that was opened elsewhere', async () => {
    const { stores, identity } = server.running;
    for (const linked of [false, true]) {
      const name = `elsewhere-${linked}`;
      const account = {
        email: `${name}@gmail.com`,
        emailVerified: linked,
        openedAt: 'visitnote',
        password: PASSWORD,
      };
      const { id, passwordHash } = await registerAccount(identity, { organization: 'default', account });
      const issuer = server.upstream.issuers.google;
      if (linked) await linkIdentity(identity, { accountId: id, issuer, subject: `google-${name}` });
      expectError(await enter(gmail(name)), 'account_exists');
      expect((await stores.accounts.byId(id))?.passwordHash, 'reclaimed').to.equal(passwordHash);
      expect(await stores.identities.listByAccount(id)).to.have.length(linked ? 1 : 0);
    }
  });

  it('never reads its cookies as credentials', async () => {
    const landing = await enter(gmail('cookies'));
    const cookie = landing.cookies.map((line) => line.split(';')[0]).join('; ');
    expect((await clientOf(server).get('/auth/me', { cookie })).status).to.equal(401);
  });

  it('hands a native client the tokens in the fragment, and no cookie', async () => {
    const landing = await enter(gmail('native'), { start: `?redirect_uri=${encodeURIComponent(NATIVE)}` });
    expect(landing.status).to.equal(302);
    expect(landing.cookies).to.deep.equal([DROPPED]);
    const [uri, fragment] = (landing.location ?? '').split('#');
    expect(uri).to.equal(NATIVE);
    const handed = new URLSearchParams(fragment);
    expect([...handed.keys()]).to.deep.equal(['access_token', 'refresh_token', 'token_type', 'expires_in']);
    expect([handed.get('token_type'), handed.get('expires_in')]).to.deep.equal(['bearer', '900']);
    expect((await clientOf(server).me(handed.get('access_token') ?? '')).status).to.equal(200);
    const refused = await enter('denied', { start: `?redirect_uri=${encodeURIComponent(NATIVE)}` });
    expect(refused.location).to.equal(`${NATIVE}#error=access_denied`);
    expect(refused.cookies).to.deep.equal([DROPPED]);
  });

  it('compares a native redirect URI whole, and takes it once', async () => {
    const client = clientOf(server);
    for (const wrong of [
      `${NATIVE}x`,
      'avycenna://signed-in',
      NATIVE.toUpperCase(),
      `${NATIVE}#`,
      `${NATIVE} `,
    ]) {
      const answer = await client.get(`/auth/oauth/google?redirect_uri=${encodeURIComponent(wrong)}`);
      expect([answer.status, answer.text], wrong).to.deep.equal([400, '{"detail":"Invalid redirect_uri"}']);
      expect([answer.headers.location, answer.cookies], wrong).to.deep.equal([undefined, []]);
    }
    const uri = encodeURIComponent(NATIVE);
    const twice = await client.get(`/auth/oauth/google?redirect_uri=${uri}&redirect_uri=${uri}`);
    expect(twice.status).to.equal(400);
  });

  it('F4 links a verified account by an authoritative address, and nobody else by any other', async () => {
    const { id } = await accountAt('dr@clinic.test');
    expectError(await enter({ ...gmail('x'), sub: 'plain', email: 'dr@clinic.test' }), 'account_exists');
    const landing = await enter({
      sub: 'hosted',
      email: 'DR@clinic.test',
      email_verified: true,
      hd: 'clinic.test',
    });
    const me = (await clientOf(server).me(accessOf(landing))).json() as {
      user: { id: string; name: string };
    };
    expect(me.user).to.include({ id: 'usr_Ab3dE5gH', name: 'Dr. Ana Reis' });
    expect((await accountAt('dr@clinic.test')).id).to.equal(id);
    expect((await clientOf(server).signIn()).access).to.be.a('string');
    expectError(
      await enter({ sub: 'plain-2', email: 'unverified@ward.test', email_verified: true }),
      'account_exists',
    );
  });

  it('F5 reclaims an unverified account for the owner of its address', async () => {
    const client = clientOf(server);
    const body = { name: 'Dr. Squat', email: 'squat@gmail.com', password: PASSWORD };
    expect((await client.post('/auth/register', body)).status).to.equal(201);
    const squatter = await client.signIn('squat@gmail.com', PASSWORD);
    const { key } = await client.makeKey(squatter.access, ['read:users']);
    const landing = await enter(gmail('squat'));
    const me = (await client.me(accessOf(landing))).json() as { user: { name: string } };
    expect(me.user.name).to.equal('Dr. Squat');
    expect((await client.me(squatter.access)).status).to.equal(401);
    expect((await client.refresh(squatter.refresh)).status).to.equal(401);
    expect((await client.get('/auth/me', { 'x-api-key': key })).status).to.equal(401);
    expect(
      (await client.post('/auth/login', { email: 'squat@gmail.com', password: PASSWORD })).status,
    ).to.equal(401);
    expect((await accountAt('squat@gmail.com')).emailVerified).to.equal(true);
  });

  it('F5 reclaims it also where the identity was linked before', async () => {
    const client = clientOf(server);
    const body = { name: 'Dr. Linked', email: 'linked@gmail.com', password: PASSWORD };
    await client.post('/auth/register', body);
    const { id: accountId } = await accountAt('linked@gmail.com');
    const issuer = server.upstream.issuers.google;
    await linkIdentity(server.running.identity, { accountId, issuer, subject: 'google-linked' });
    expect((await enter(gmail('linked'))).location).to.equal(DASHBOARD);
    const account = await accountAt('linked@gmail.com');
    expect([account.emailVerified, account.passwordHash]).to.deep.equal([true, undefined]);
  });

  it('access_denied: Google said no, has not verified the address, or the account is blocked', async () => {
    expectError(await enter('denied'), 'access_denied');
    expectError(
      await enter(gmail('any'), {
        change: (query: URLSearchParams) => {
          query.delete('code');
          query.set('error', 'temporarily_unavailable');
        },
      }),
      'access_denied',
    );
    expectError(await enter(gmail('unproved', { email_verified: false })), 'access_denied');
    expectError(await enter({ sub: 'no-address' }), 'access_denied');
    expectError(
      await enter({ sub: 'b1', email: 'blocked@clinic.test', email_verified: true, hd: 'clinic.test' }),
      'access_denied',
    );
    await enter(gmail('later-blocked'));
    const { id: accountId } = await accountAt('later-blocked@gmail.com');
    for (const status of ['blocked', 'inactive'] as const) {
      await setStatus(server.running.identity, { accountId, status });
      expectError(await enter(gmail('later-blocked')), 'access_denied');
      expectError(await enter(gmail('later-blocked', { email_verified: false })), 'access_denied');
    }
  });

  it('a linked person comes in although Google has not verified the address', async () => {
    await enter(gmail('was-verified'));
    expect((await enter(gmail('was-verified', { email_verified: false }))).location).to.equal(DASHBOARD);
  });

  it('server_error: the code is none, the ID token is wrong, or Google is away', async () => {
    const setCode = (value: string) => (query: URLSearchParams) => query.set('code', value);
    expectError(await enter(gmail('e1'), { change: setCode('made-up') }), 'server_error');
    expectError(
      await enter(gmail('e2'), { change: (query: URLSearchParams) => query.delete('code') }),
      'server_error',
    );
    expectError(await enter(gmail('e3', { aud: 'somebody-else' })), 'server_error');
    expectError(await enter(gmail('e4', { nonce: 'another' })), 'server_error');
    expectError(await enter(gmail('e5', { iss: 'https://evil.test' })), 'server_error');
    expectError(await enter(gmail('e6'), { change: () => server.upstream.setDown(true) }), 'server_error');
  });

  it('F6 spends a state by its first use', async () => {
    const client = clientOf(server);
    const landing = await enter(gmail('twice'));
    expect(landing.location).to.equal(DASHBOARD);
    const cookie = landing.binding;
    expectRefused(await client.send({ method: 'GET', path: landing.callback, headers: { cookie } }));
    const denied = await enter('denied');
    expectRefused(
      await client.send({ method: 'GET', path: denied.callback, headers: { cookie: denied.binding } }),
    );
  });

  it('F6 takes a state only from the browser that began, and a stranger cannot spend it', async () => {
    const client = clientOf(server);
    const other = await client.get('/auth/oauth/google');
    const foreign = (other.cookies[0] ?? '').split(';')[0] ?? '';
    const landing = await enter(gmail('bound'), { cookie: foreign });
    expectRefused(landing);
    const none = await client.send({ method: 'GET', path: landing.callback });
    expectRefused(none);
    const own = await client.send({
      method: 'GET',
      path: landing.callback,
      headers: { cookie: landing.binding },
    });
    expect(own.headers.location).to.equal(DASHBOARD);
  });

  it('F6 X3 a state is good for ten minutes', async () => {
    const change = () => {
      ahead = 601_000;
    };
    expectRefused(await enter(gmail('late'), { change }));
  });

  it('an account that another vendor made is linked, and gets its id here', async () => {
    const { id } = await accountAt('nopass@ward.test');
    const landing = await enter({
      sub: 'nils',
      email: 'nopass@ward.test',
      email_verified: true,
      hd: 'ward.test',
    });
    const me = (await clientOf(server).me(accessOf(landing))).json() as {
      user: { id: string; name: string };
    };
    expect(me.user.id).to.match(/^usr_[0-9A-Za-z]{8}$/);
    expect(me.user.name).to.equal('Nils Passmore');
    await updateAccount(server.running.identity, id, (account) => ({ ...account, email: 'moved@ward.test' }));
    const again = await enter({
      sub: 'nils',
      email: 'nopass@ward.test',
      email_verified: true,
      hd: 'ward.test',
    });
    expect(((await clientOf(server).me(accessOf(again))).json() as typeof me).user.id).to.equal(me.user.id);
  });
});
