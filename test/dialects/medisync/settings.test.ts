import { expect } from 'chai';
import { decodeProtectedHeader, jwtVerify } from 'jose';
import { settings } from '../../../src/dialects/medisync/settings.ts';
import { linkTemplate } from '../../../src/dialects/medisync/verification.ts';
import { startTestServer, type TestServer } from '../../support/server.ts';
import { callerOf, statuses, times } from '../caller.ts';

const SECRET = 'a-shared-secret-of-more-than-32-bytes';
const PASSWORD = 'Tundra-Velvet-Compass-93';

describe('MediSync with other settings', () => {
  let server: TestServer;
  before(async () => {
    server = await startTestServer({
      config: {
        dialects: {
          medisync: {
            base: '/medisync',
            organization: 'south_clinic',
            clientId: 'ward-old',
            accessToken: {
              signing: 'HS256',
              secret: SECRET,
              lifetime: '1h',
              rememberLifetime: '7d',
              audience: 'https://ward.test',
            },
            refreshToken: { lifetime: '30d' },
            verification: { lifetime: '1h', url: 'https://portal.test/confirm?from=mail#form' },
            limits: { login: '2/1m', register: '1/1m', resend: '1/1m' },
          },
        },
      },
    });
  });
  after(() => server.close());

  const open = () => callerOf(server, '/medisync');
  const lea = { email: 'lea@x.test', password: 'Pebble-Sunrise-Walnut-64' };
  const person = (email: string) => ({
    title: 'Dr.',
    firstName: 'Ida',
    lastName: 'Holm',
    email,
    password: PASSWORD,
    specialty: 'Surgery',
    ehr_system_type: 'Epic',
    ehr_system_name: 'East',
  });

  it('tokens are signed with the shared secret and live as long as it says', async () => {
    const caller = open();
    for (const [remember, lifetime] of [
      [false, 3600],
      [true, 604_800],
    ] as const) {
      const { json } = await caller.call('POST', '/login', { json: { ...lea, remember } });
      expect(decodeProtectedHeader(json.token)).to.deep.equal({ alg: 'HS256', typ: 'JWT' });
      const { payload } = await jwtVerify(json.token, new TextEncoder().encode(SECRET), {
        issuer: server.issuer,
        audience: 'https://ward.test',
      });
      expect(payload).to.include({ client_id: 'ward-old', scope: 'medisync', userId: json.uid });
      expect(Number(payload.exp) - Number(payload.iat)).to.equal(lifetime);
      const members = ['iss', 'sub', 'aud', 'client_id', 'iat', 'exp', 'jti', 'scope', 'userId'];
      expect(Object.keys(payload)).to.have.members(members);
      expect((await caller.call('GET', '/user/profile', { token: json.token })).status).to.equal(200);
    }
  });

  it('C3 the dialect knows one organization', async () => {
    const ngozi = { email: 'n.okafor@ward.test', password: 'Copper-Meadow-Falcon-72' };
    const refused = await open().call('POST', '/login', { json: ngozi });
    expect(refused.json.code).to.equal('INVALID_CREDENTIALS');
    const north = { email: 'lea@x.test', password: 'Marble-Orchid-Signal-33' };
    expect((await open().call('POST', '/login', { json: north })).status).to.equal(401);
    const registered = await open().call('POST', '/register', { json: person(ngozi.email) });
    expect(registered.status).to.equal(201);
  });

  it('the email leads to the portal, which posts the token as JSON', async () => {
    expect((await open().call('POST', '/register', { json: person('new-portal@x.test') })).status).to.equal(
      201,
    );
    const { text } = await server.mail.take('new-portal@x.test');
    const token = /https:\/\/portal\.test\/confirm\?from=mail&token=(vt_[\w-]{43})#form/.exec(text)?.[1];
    const answer = await open().call('POST', '/verification/verify', { json: { token } });
    expect(answer.status).to.equal(200);
  });

  it('the limits are the configured ones, ten times as many for one client address', async () => {
    const caller = open();
    const who = { email: 'nobody@x.test', password: 'x' };
    expect(statuses(await times(3, () => caller.call('POST', '/login', { json: who })))).to.deep.equal({
      401: 2,
      429: 1,
    });
    const many = await times(20, (index) =>
      caller.call('POST', '/login', { json: { ...who, email: `nobody${index}@x.test` } }),
    );
    expect(statuses(many)).to.deep.equal({ 401: 18, 429: 2 });
  });

  it('a link is made from the configured place, or from issuer and base', () => {
    const base = '/api';
    const link = (url?: string) =>
      linkTemplate('https://id.test', {
        base,
        verification: { lifetime: 60, ...(url === undefined ? {} : { url }) },
      });
    expect(link()).to.equal('https://id.test/api/verification/verify?token={token}');
    expect(link('https://p.test/c')).to.equal('https://p.test/c?token={token}');
    expect(link('https://p.test/c?a=b')).to.equal('https://p.test/c?a=b&token={token}');
    expect(link('https://p.test/c#d')).to.equal('https://p.test/c?token={token}#d');
  });

  it('settings that mean nothing stop the start', () => {
    const wrong = {
      'a rate without a window': { limits: { login: '5' } },
      'no sign-ins at all': { limits: { login: '0/15m' } },
      'a window without a unit': { limits: { resend: '5/30' } },
      'HS256 without a secret': { accessToken: { signing: 'HS256' } },
      'a short secret': { accessToken: { signing: 'HS256', secret: 'x'.repeat(31) } },
      'a lifetime of nothing': { accessToken: { rememberLifetime: 0 } },
      'a link to nowhere': { verification: { url: 'portal' } },
      'a base that ends in a slash': { base: '/api/' },
      'a key that there is not': { accessToken: { lifetimes: '1h' } },
    };
    for (const [what, input] of Object.entries(wrong)) {
      expect(settings.safeParse(input).success, what).to.equal(false);
    }
    expect(settings.parse({ refreshToken: { lifetime: '30d' } })).to.deep.include({
      enabled: false,
      base: '/api',
      organization: 'default',
      clientId: 'medisync-legacy',
      accessToken: { lifetime: 86_400, signing: 'ES256', rememberLifetime: 2_592_000 },
      verification: { lifetime: 86_400 },
      limits: {
        login: { limit: 5, window: 900 },
        register: { limit: 3, window: 3600 },
        resend: { limit: 5, window: 1800 },
      },
    });
  });
});
