import { expect } from 'chai';
import { decodeProtectedHeader, jwtVerify } from 'jose';
import { settings } from '../../../src/dialects/careportals/settings.ts';
import { startTestServer, type TestServer } from '../../support/server.ts';
import { clientOf, LEA, NEW_PASSWORD, patient, said } from './client.ts';

const NOWHERE = '400 {"message":"Organization not found"}';
const SECRET = 'a shared secret of more than thirty-two bytes';
const login = { username: LEA.username, password: LEA.password };

/** Runs the tests of `body` on a server of its own. */
function withSettings(
  title: string,
  careportals: Record<string, object | string | number | boolean>,
  body: (server: () => TestServer) => void,
): void {
  describe(`CarePortals ${title}`, () => {
    let server: TestServer;
    before(async () => {
      server = await startTestServer({ config: { dialects: { careportals } } });
    });
    after(() => server.close());
    body(() => server);
  });
}

withSettings(
  'on hosts of its own',
  { hosts: ['Patient-API.example', 'north-clinic.portal.test'] },
  (server) => {
    const bare = (method: string, path: string, body?: unknown, headers: Record<string, string> = {}) =>
      clientOf(server()).send({
        method,
        path,
        headers: { host: 'patient-api.example:8443', 'content-type': 'application/json', ...headers },
        ...(body !== undefined && { body: JSON.stringify(body) }),
      });
    const north = { organization: 'north_clinic' };

    it('answers without the prefix there, and with it', async () => {
      for (const path of ['/auth', '/auth/login', '/auth/login/', '/patient/auth/login']) {
        expect((await bare('POST', path, login, north)).status, path).to.equal(201);
      }
      expect((await bare('POST', '/users', patient('new-bare@x.test'), north)).status).to.equal(201);
      expect((await bare('POST', '/auth/forgot', { email: 'lea@x.test' }, north)).text).to.equal('true');
      expect((await bare('GET', '/auth/forgot/validate?token=x', undefined, north)).status).to.equal(401);
      expect((await bare('POST', '/org/auth', { username: 'x', password: 'y' }, north)).status).to.equal(401);
      const preflight = await bare('OPTIONS', '/users/account', undefined, {
        origin: 'https://shop.test',
        'access-control-request-method': 'GET',
      });
      expect([preflight.status, preflight.headers['access-control-allow-origin']]).to.deep.equal([
        204,
        'https://shop.test',
      ]);
    });

    it('takes the organization from the same host', async () => {
      const answer = await bare('POST', '/auth', login, { host: 'north-clinic.portal.test' });
      expect(answer.status).to.equal(201);
      expect(said(await bare('POST', '/auth', login))).to.equal(NOWHERE);
    });

    it('has a 404 of its own for other methods there, and leaves the rest to the server', async () => {
      expect(said(await bare('GET', '/auth/login'))).to.equal('404 {"message":"Cannot GET /auth/login"}');
      expect(said(await bare('DELETE', '/users'))).to.equal('404 {"message":"Cannot DELETE /users"}');
      const unknown = await bare('GET', '/auth/nothing');
      expect([unknown.status, unknown.text.includes('Cannot GET')]).to.deep.equal([404, false]);
      expect((await bare('GET', '/.well-known/openid-configuration')).status).to.equal(200);
      expect((await bare('GET', '/jwks')).status).to.equal(200);
    });

    it('does not answer without the prefix on another host', async () => {
      for (const host of ['127.0.0.1', 'patient-api.example.evil.test', 'x.patient-api.example']) {
        const answer = await bare('POST', '/auth/login', login, { ...north, host });
        expect(answer.status, host).to.equal(404);
      }
    });
  },
);

withSettings('with a door of another name for organization users', { orgBase: '/staff' }, (server) => {
  it('answers there by the rules of organization users', async () => {
    const client = clientOf(server());
    const dr = { username: 'dr@clinic.test', password: 'Saffron-Glacier-Pilot-19' };
    expect((await client.post('/staff/auth', dr, { organization: 'default' })).status).to.equal(201);
    expect(said(await client.post('/staff/auth', login))).to.equal('401 {"message":"Unauthorized"}');
    const byHost = { organization: '', origin: 'https://north-clinic.portal.test' };
    expect(said(await client.post('/staff/auth', login, byHost))).to.equal(NOWHERE);
    expect((await client.post('/org/auth', dr, { organization: 'default' })).status).to.equal(404);
    expect((await client.post('/patient/org/auth', dr, { organization: 'default' })).status).to.equal(201);
  });
});

withSettings(
  'with a directory of last resort',
  { orgBase: '', organization: 'north_clinic', base: '/legacy/org' },
  (server) => {
    it('serves those who name none, but no organization users and no wrong names', async () => {
      const client = clientOf(server());
      const none = { organization: '' };
      expect((await client.post('/legacy/org/auth', login, none)).status).to.equal(201);
      expect((await client.post('/legacy/org/users', patient('new-last@x.test'), none)).status).to.equal(201);
      expect(said(await client.post('/legacy/org/org/auth', login, none))).to.equal(NOWHERE);
      expect(said(await client.post('/legacy/org/auth', login, { organization: 'x' }))).to.equal(NOWHERE);
      expect((await client.post('/org/auth', login)).status).to.equal(404);
    });

    it('is no directory of a token', async () => {
      const client = clientOf(server());
      const south = { organization: 'south_clinic' };
      await client.post('/legacy/org/auth/forgot', { email: 'lea@x.test' }, south);
      const email = await server().mail.take('lea@x.test');
      const token = /token=(rst_[\w-]{43})/.exec(email.text)?.[1];
      const path = `/legacy/org/auth/forgot/validate?token=${token}`;
      expect(said(await client.send({ method: 'GET', path }))).to.equal('200 true');
    });
  },
);

withSettings('that reaches some organizations only', { organizations: ['north_clinic'] }, (server) => {
  it('knows no other, by whatever it is named', async () => {
    const client = clientOf(server());
    expect((await client.post('/patient/auth', login)).status).to.equal(201);
    for (const headers of [
      { organization: 'south_clinic' },
      { organization: '', host: 'south-clinic.portal.test' },
      { organization: '', origin: 'https://south-clinic.portal.test' },
    ]) {
      expect(said(await client.post('/patient/auth', login, headers))).to.equal(NOWHERE);
    }
  });
});

withSettings(
  'with settings of every kind',
  {
    clientId: 'portal-app',
    accessToken: { lifetime: '1h', audience: 'https://records.test', personalData: true },
    password: { minLength: 10 },
    resetLink: 'https://portal.test/{organization}/reset#t={token}',
    phoneCountryCode: '44',
    corsOrigins: ['https://portal.test'],
  },
  (server) => {
    it('makes tokens by them, with personal data only where that is asked for', async () => {
      const client = clientOf(server());
      const token = await client.signIn();
      const jwks = (await (await fetch(`${server().url}/jwks`)).json()) as { keys: object[] };
      const { createLocalJWKSet } = await import('jose');
      const { payload } = await jwtVerify(token, createLocalJWKSet(jwks as never), {
        issuer: server().issuer,
        audience: 'https://records.test',
      });
      expect(payload).to.include({
        client_id: 'portal-app',
        email: 'lea@x.test',
        dob: '1991-05-04',
        phone: '+15555550142',
        organization: 'north_clinic',
      });
      expect(Number(payload.exp) - Number(payload.iat)).to.equal(3600);
      expect((await client.account(token)).status).to.equal(200);
    });

    it('says the figure of the shortest password', async () => {
      const client = clientOf(server());
      const register = (password: string) =>
        client.post('/patient/users', patient('new-len@x.test', { password }));
      expect(said(await register('Ab3-xyz-9'))).to.equal(
        '406 {"message":"Failed to create account: password must be at least 10 characters"}',
      );
      expect((await register('Ab3-xyz-9q')).status).to.equal(201);
    });

    it('fills the template of the link', async () => {
      await clientOf(server()).post('/patient/auth/forgot', { email: 'lea@x.test' });
      const { text } = await server().mail.take('lea@x.test');
      expect(text).to.match(/https:\/\/portal\.test\/north_clinic\/reset#t=rst_[\w-]{43}\s/);
    });

    it('puts its own country before a number', async () => {
      const client = clientOf(server());
      const phones = {
        '2079460958': '+442079460958',
        '442079460958': '+442079460958',
        '44207946095': '+44207946095',
      };
      for (const [phone, expected] of Object.entries(phones)) {
        const answer = await client.post('/patient/users', patient(`new-${phone}@x.test`, { phone }));
        expect((answer.json() as { phone: string }).phone).to.equal(expected);
      }
    });

    it('names the listed origins only', async () => {
      const client = clientOf(server());
      const from = async (origin: string) =>
        (await client.post('/patient/auth', login, { origin })).headers['access-control-allow-origin'];
      expect(await from('https://portal.test')).to.equal('https://portal.test');
      expect(await from('https://shop.test')).to.equal(undefined);
      const preflight = await client.send({
        method: 'OPTIONS',
        path: '/patient/users',
        headers: { origin: 'https://shop.test', 'access-control-request-method': 'POST' },
      });
      expect(
        Object.keys(preflight.headers).filter((name) => name.startsWith('access-control')),
      ).to.deep.equal([]);
    });
  },
);

withSettings('under a shared secret', { accessToken: { signing: 'HS256', secret: SECRET } }, (server) => {
  it('signs with it, and its tokens work, are introspected and die like the others', async () => {
    const client = clientOf(server());
    const token = await client.signIn();
    expect(decodeProtectedHeader(token)).to.deep.equal({ alg: 'HS256', typ: 'JWT' });
    const { payload } = await jwtVerify(token, new TextEncoder().encode(SECRET), {
      issuer: server().issuer,
      audience: `${server().issuer}/patient`,
    });
    expect(payload).to.include({ client_id: 'careportals-legacy', uname: 'lea@x.test#north_clinic' });
    expect((await client.account(token)).status).to.equal(200);
    expect((await client.account(`${token.slice(0, -6)}AAAAAA`)).status).to.equal(401);
    const link = await client.resetToken('lea@x.test');
    expect(
      (await client.post('/patient/auth/reset', { token: link, password: NEW_PASSWORD })).status,
    ).to.equal(201);
    expect((await client.account(token)).status).to.equal(401);
  });
});

describe('CarePortals as time goes by', () => {
  let server: TestServer;
  let ahead = 0;
  before(async () => {
    server = await startTestServer({ clock: { now: () => new Date(Date.now() + ahead) } });
  });
  after(() => server.close());
  beforeEach(() => {
    ahead = 0;
  });

  it('its own windows end sixty seconds after their first count', async () => {
    const client = clientOf(server);
    const taken = () => client.post('/patient/users', patient('lea@x.test'));
    for (let count = 0; count < 9; count += 1) expect((await taken()).status).to.equal(409);
    ahead = 30_000;
    expect((await taken()).status).to.equal(409);
    const full = await taken();
    expect(full.status).to.equal(429);
    expect(Number(full.headers['retry-after'])).to.be.within(25, 30);
    ahead = 61_000;
    expect((await taken()).status).to.equal(409);
  });

  it('X3 W6 a reset link is good for an hour, and emails are sent again after a quarter of one', async () => {
    const client = clientOf(server);
    const first = await client.resetToken('lea@x.test');
    await client.resetToken('lea@x.test');
    await client.resetToken('lea@x.test');
    expect(said(await client.post('/patient/auth/forgot', { email: 'lea@x.test' }))).to.equal('201 true');
    ahead = 901_000;
    expect(server.mail.waiting('lea@x.test')).to.deep.equal([]);
    const later = await client.resetToken('lea@x.test');
    const ask = async (token: string) =>
      said(await client.send({ method: 'GET', path: `/patient/auth/forgot/validate?token=${token}` }));
    expect(await ask(first)).to.equal('200 true');
    ahead = 3_601_000;
    expect(await ask(first)).to.equal('401 {"message":"Invalid token"}');
    expect(await ask(later)).to.equal('200 true');
  });

  it('nobody is born tomorrow, and somebody may be today', async () => {
    const client = clientOf(server);
    ahead = 400 * 86_400_000;
    const day = (offset: number) => new Date(Date.now() + ahead + offset).toISOString().slice(0, 10);
    const today = await client.post('/patient/users', patient('new-today@x.test', { dob: day(0) }));
    expect(today.status).to.equal(201);
    const tomorrow = await client.post(
      '/patient/users',
      patient('new-morrow@x.test', { dob: day(86_400_000) }),
    );
    expect(tomorrow.status).to.equal(406);
  });
});

describe("CarePortals' settings", () => {
  const issueOf = (input: Record<string, unknown>) => {
    const parsed = settings.safeParse(input);
    return parsed.success ? undefined : parsed.error.issues.map(({ path }) => path.join('.')).join(' ');
  };

  it('have the defaults of the contract', () => {
    expect(settings.parse({})).to.deep.equal({
      enabled: false,
      base: ['/patient'],
      hosts: [],
      orgBase: '/org',
      clientId: 'careportals-legacy',
      accessToken: { lifetime: 2_592_000, signing: 'ES256', personalData: false },
      password: { minLength: 8 },
      resetToken: { lifetime: 3600 },
      phoneCountryCode: '1',
      corsOrigins: 'any',
    });
  });

  for (const [title, input, path] of [
    ['refresh tokens', { refreshToken: { lifetime: '30d' } }, 'refreshToken'],
    ['a reset link without the token', { resetLink: 'https://portal.test/reset' }, 'resetLink'],
    ['a reset link that is no URL', { resetLink: '/reset?t={token}' }, 'resetLink'],
    ['a reset link that runs code', { resetLink: 'javascript:alert("{token}")' }, 'resetLink'],
    ['reset links of more than an hour', { resetToken: { lifetime: '2h' } }, 'resetToken.lifetime'],
    ['HS256 without a secret', { accessToken: { signing: 'HS256' } }, 'accessToken.secret_file'],
    ['a secret without HS256', { accessToken: { secret: SECRET } }, 'accessToken.secret_file'],
    ['a short secret', { accessToken: { signing: 'HS256', secret: 'short' } }, 'accessToken.secret'],
    ['a base with a slash at its end', { base: '/patient/' }, 'base'],
    ['a country code with a plus', { phoneCountryCode: '+1' }, 'phoneCountryCode'],
  ] as const) {
    it(`refuse ${title}`, () => {
      expect(issueOf(input)).to.equal(path);
    });
  }
});
