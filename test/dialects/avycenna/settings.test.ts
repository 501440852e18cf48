import { expect } from 'chai';
import { decodeProtectedHeader, jwtVerify } from 'jose';
import { settings } from '../../../src/dialects/avycenna/settings.ts';
import { startTestServer, type TestServer } from '../../support/server.ts';
import { clientOf, PASSWORD, pairOf, said } from './client.ts';

const SECRET = 'a shared secret of more than thirty-two bytes';

describe('AVYCENNA under a shared secret, elsewhere', () => {
  let server: TestServer;
  let ahead = 0;
  before(async () => {
    server = await startTestServer({
      clock: { now: () => new Date(Date.now() + ahead) },
      config: {
        dialects: {
          avycenna: {
            organization: 'north_clinic',
            clientId: 'doctors-app',
            accessToken: {
              signing: 'HS256',
              secret: SECRET,
              lifetime: '5m',
              audience: 'https://records.test',
            },
            refreshToken: { lifetime: 200, absoluteLifetime: 300, leeway: 3 },
            defaultRole: 'patient',
            origins: ['https://one.test', 'https://two.test'],
          },
        },
      },
    });
  });
  after(() => server.close());
  beforeEach(() => {
    ahead = 0;
  });

  const register = async (email: string) => {
    const client = clientOf(server);
    const created = await client.post('/auth/register', { name: 'Dr. X', email, password: PASSWORD });
    return { client, made: created, ...pairOf(created) };
  };

  it('signs with the secret, and its tokens work and die like the others', async () => {
    const { client, made: created, access, refresh } = await register('new-hs@x.test');
    expect(decodeProtectedHeader(access)).to.deep.equal({ alg: 'HS256', typ: 'JWT' });
    const { payload } = await jwtVerify(access, new TextEncoder().encode(SECRET), {
      issuer: server.issuer,
      audience: 'https://records.test',
    });
    expect(payload).to.include({ client_id: 'doctors-app', role: 'patient' });
    expect(Number(payload.exp) - Number(payload.iat)).to.equal(300);
    expect(created.json()).to.deep.include({ expires_in: 300 });
    expect((await client.me(access)).status).to.equal(200);
    const headers = { authorization: `Bearer ${access}` };
    await client.post('/auth/logout', { refresh_token: refresh }, headers);
    expect((await client.me(access)).status).to.equal(401);
  });

  it('C3 looks for people in its own organization only', async () => {
    const client = clientOf(server);
    const lea = { email: 'lea@x.test', password: 'Marble-Orchid-Signal-33' };
    expect((await client.post('/auth/login', lea)).status).to.equal(200);
    const dr = { email: 'dr@clinic.test', password: 'Saffron-Glacier-Pilot-19' };
    expect(said(await client.post('/auth/login', dr))).to.equal(
      '401 {"detail":"Incorrect email or password"}',
    );
  });

  it('T11 a line of refresh tokens ends at its absolute lifetime, however often rotated', async () => {
    const { client, refresh } = await register('new-abs@x.test');
    ahead = 150_000;
    const next = pairOf(await client.refresh(refresh));
    ahead = 290_000;
    const last = pairOf(await client.refresh(next.refresh));
    ahead = 302_000;
    expect(said(await client.refresh(last.refresh))).to.equal('401 {"detail":"Invalid refresh token"}');
  });

  it('T7 a used token ends its family as soon as the configured leeway is over', async () => {
    const { client, refresh } = await register('new-lee@x.test');
    const next = pairOf(await client.refresh(refresh));
    ahead = 2000;
    expect((await client.refresh(refresh)).status).to.equal(401);
    expect((await client.me(next.access)).status).to.equal(200);
    ahead = 4500;
    expect((await client.refresh(refresh)).status).to.equal(401);
    expect((await client.me(next.access)).status).to.equal(401);
  });

  it('admits the listed origins, not the dashboard', async () => {
    const client = clientOf(server);
    const from = async (origin: string) =>
      (await client.get('/auth/me', { origin })).headers['access-control-allow-origin'];
    expect(await from('https://two.test')).to.equal('https://two.test');
    expect(await from('https://web.avycenna.com')).to.equal(undefined);
  });
});

describe('AVYCENNA at another base', () => {
  it('has its audience, its paths and its cookie there', async () => {
    const server = await startTestServer({ config: { dialects: { avycenna: { base: '/doctors/v2' } } } });
    try {
      const client = clientOf(server);
      const body = JSON.stringify({ email: 'dr@clinic.test', password: 'Saffron-Glacier-Pilot-19' });
      const signedIn = await client.send({ method: 'POST', path: '/doctors/v2/auth/login', body });
      const { access } = pairOf(signedIn);
      const { aud } = JSON.parse(
        atob((access.split('.')[1] ?? '').replaceAll('-', '+').replaceAll('_', '/')),
      ) as {
        aud: string;
      };
      expect(aud).to.equal(`${server.issuer}/doctors/v2`);
      const begun = await client.send({ method: 'GET', path: '/doctors/v2/auth/oauth/google' });
      expect(begun.cookies[0]).to.contain('Path=/doctors/v2/auth/oauth/google;');
      expect(begun.headers.location).to.contain(encodeURIComponent('/doctors/v2/auth/oauth/google/callback'));
    } finally {
      await server.close();
    }
  });
});

describe('AVYCENNA with few attempts', () => {
  let server: TestServer;
  before(async () => {
    server = await startTestServer({
      config: {
        attempts: {
          pair: { limit: 2, window: '15m' },
          address: { limit: 5, window: '15m' },
          login: { limit: 3, window: '1h' },
        },
      },
    });
  });
  after(() => server.close());

  it('C1 R1 counts a login over all addresses, but not against addresses that it signed in from', async () => {
    const home = clientOf(server);
    await home.signIn();
    const fail = () => clientOf(server).post('/auth/login', { email: 'dr@clinic.test', password: 'wrong' });
    for (let count = 0; count < 3; count += 1) expect((await fail()).status).to.equal(401);
    const locked = await clientOf(server).post('/auth/login', {
      email: 'dr@clinic.test',
      password: 'Saffron-Glacier-Pilot-19',
    });
    expect(locked.status).to.equal(429);
    expect(Number(locked.headers['retry-after'])).to.be.within(3000, 3600);
    expect((await home.signIn()).access).to.be.a('string');
  });

  it('C1 R1 registers nobody under a login that is locked, from that address or over all, except where it signed in', async () => {
    const person = { name: 'Dr. New', email: 'new-locked@x.test', password: PASSWORD };
    const fail = async (client = clientOf(server), email = person.email) =>
      expect((await client.post('/auth/login', { email, password: 'wrong' })).status).to.equal(401);
    const register = async (client = clientOf(server), email = person.email) =>
      (await client.post('/auth/register', { ...person, email })).status;
    const here = clientOf(server);
    await fail(here);
    await fail(here);
    expect(await register(here), 'the pair').to.equal(429);
    expect(await register(here, 'new-unlocked@x.test')).to.equal(201);
    await fail();
    expect(await register(), 'the login').to.equal(429);
    const home = clientOf(server);
    await home.signIn('new-unlocked@x.test', PASSWORD);
    for (let count = 0; count < 3; count += 1) await fail(undefined, 'new-unlocked@x.test');
    expect(await register(undefined, 'new-unlocked@x.test'), 'a stranger').to.equal(429);
    expect(await register(home, 'new-unlocked@x.test'), 'where it signed in').to.equal(409);
  });

  it('C1 counts taken addresses of a registration towards the client address', async () => {
    const client = clientOf(server);
    const taken = { name: 'Dr. T', email: 'chief@clinic.test', password: PASSWORD };
    for (let count = 0; count < 5; count += 1) {
      expect((await client.post('/auth/register', taken)).status).to.equal(409);
    }
    const full = await client.post('/auth/register', { ...taken, email: 'new-free@x.test' });
    expect(said(full)).to.equal('429 {"detail":"Too many requests"}');
    expect((await client.post('/auth/otp/send', { email: 'chief@clinic.test' })).status).to.equal(200);
    expect(
      (await clientOf(server).post('/auth/register', { ...taken, email: 'new-free@x.test' })).status,
    ).to.equal(201);
  });
});

describe("AVYCENNA's settings", () => {
  const issueOf = (input: Record<string, unknown>) => {
    const parsed = settings.safeParse(input);
    return parsed.success ? undefined : parsed.error.issues.map(({ path }) => path.join('.')).join(' ');
  };

  it('have the defaults of the contract', () => {
    expect(settings.parse({})).to.deep.equal({
      enabled: false,
      base: '/api/v1',
      organization: 'default',
      clientId: 'avycenna-legacy',
      accessToken: { lifetime: 900, signing: 'ES256' },
      refreshToken: { lifetime: 2_592_000, absoluteLifetime: 31_536_000, leeway: 10 },
      defaultRole: 'doctor',
      googleProvider: 'google',
      dashboardUrl: 'https://web.avycenna.com/dashboard',
      nativeRedirectUris: [],
      origins: ['https://web.avycenna.com'],
    });
    expect(settings.parse({ dashboardUrl: 'http://localhost:4000/x?y#z' }).origins).to.deep.equal([
      'http://localhost:4000',
    ]);
  });

  for (const uri of [
    'javascript:alert(1)',
    'JavaScript:x',
    'data:text/html,x',
    'file:///etc',
    'blob:x',
    'vbscript:x',
    'app://x#y',
    'app://x#',
    'no uri',
  ]) {
    it(`refuse ${uri} as a native redirect URI`, () => {
      expect(issueOf({ nativeRedirectUris: ['app://good/callback', uri] })).to.equal('nativeRedirectUris.1');
    });
  }

  for (const [title, input, path] of [
    ['admin as the default role', { defaultRole: 'admin' }, 'defaultRole'],
    ['HS256 without a secret', { accessToken: { signing: 'HS256' } }, 'accessToken.secret_file'],
    ['a secret without HS256', { accessToken: { secret: SECRET } }, 'accessToken.secret_file'],
    ['a short secret', { accessToken: { signing: 'HS256', secret: 'short' } }, 'accessToken.secret'],
    ['a dashboard that runs code', { dashboardUrl: 'javascript:alert(1)' }, 'dashboardUrl'],
    ['a base with a slash at its end', { base: '/api/v1/' }, 'base'],
    ['an origin that is none', { origins: ['web.avycenna.com'] }, 'origins.0'],
    ['a cookie domain that would add an attribute', { cookieDomain: 'x.test; Secure' }, 'cookieDomain'],
  ] as const) {
    it(`refuse ${title}`, () => {
      expect(issueOf(input)).to.equal(path);
    });
  }

  it('stop the start when they make no sense', async () => {
    const starting = startTestServer({
      config: { dialects: { avycenna: { nativeRedirectUris: ['app://x#y'] } } },
    });
    const outcome = await starting.then(
      async (server) => {
        await server.close();
        return 'started';
      },
      (error: unknown) => String(error),
    );
    expect(outcome).to.contain('nativeRedirectUris');
  });
});
