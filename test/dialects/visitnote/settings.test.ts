import { expect } from 'chai';
import { decodeProtectedHeader, jwtVerify } from 'jose';
import { settings } from '../../../src/dialects/visitnote/settings.ts';
import { startTestServer, type TestServer } from '../../support/server.ts';
import { callerOf } from '../caller.ts';

const SECRET = 'a-shared-secret-of-more-than-32-bytes';
const NEW_PASSWORD = 'Quiet-Bicycle-Thunder-11';

describe('VisitNote with other settings', () => {
  let server: TestServer;
  before(async () => {
    server = await startTestServer({
      config: {
        dialects: {
          visitnote: {
            base: '/clinic/v1',
            organization: 'north_clinic',
            clientId: 'clinic-old',
            accessToken: {
              signing: 'HS256',
              secret: SECRET,
              lifetime: '2h',
              audience: 'https://records.test',
            },
            limits: { auth: 1000, general: 3 },
            trialDays: 0,
            disciplines: ['Md', 'NP'],
            refuseRoles: [],
            social: { google: { audiences: [] }, apple: { audiences: ['the-app'] }, maxAge: '1m' },
          },
        },
      },
    });
  });
  after(() => server.close());

  const open = () => callerOf(server, '/clinic/v1');
  const lea = { email: 'lea@x.test', password: 'Marble-Orchid-Signal-33' };

  it('tokens are signed with the shared secret, as in the vendor’s sample', async () => {
    const answer = await open().call('POST', '/sign-in', { json: lea });
    const { token } = answer.json.data;
    expect(decodeProtectedHeader(token)).to.deep.equal({ alg: 'HS256', typ: 'JWT' });
    const { payload } = await jwtVerify(token, new TextEncoder().encode(SECRET), {
      issuer: server.issuer,
      audience: 'https://records.test',
    });
    expect(payload).to.include({
      client_id: 'clinic-old',
      scope: 'profile email',
      token_panel: 'therapist',
      uuid: answer.json.data.loginData.uuid,
    });
    expect(Number(payload.exp) - Number(payload.iat)).to.equal(7200);
    expect(Object.keys(payload)).to.have.members([
      'iss',
      'sub',
      'aud',
      'client_id',
      'iat',
      'exp',
      'jti',
      'scope',
      'token_panel',
      'uuid',
    ]);
    expect((await open().call('GET', '/my-profile', { token })).status).to.equal(200);
  });

  it('C3 the dialect knows one organization, and its place is where the settings say', async () => {
    const mara = { email: 'mara@clinic.test', password: 'Harbour-Lantern-Quartz-41' };
    expect((await open().call('POST', '/sign-in', { json: mara })).status).to.equal(401);
    const south = { email: 'lea@x.test', password: 'Pebble-Sunrise-Walnut-64' };
    expect((await open().call('POST', '/sign-in', { json: south })).status).to.equal(401);
    expect(
      (await callerOf(server, '').call('POST', '/api/therapist/v1/sign-in', { json: lea })).status,
    ).to.equal(404);
    const person = { first_name: 'M', last_name: 'I', email: mara.email, password: NEW_PASSWORD };
    expect((await open().call('POST', '/register', { json: person })).status).to.equal(200);
  });

  it('without trial days a new account has neither a trial nor its end', async () => {
    const person = { first_name: 'A', last_name: 'B', email: 'new@x.test', password: NEW_PASSWORD };
    const { data } = (await open().call('POST', '/register', { json: person })).json;
    expect(data.loginData.subscription_status).to.equal('none');
    expect(data.trial_ends_at).to.equal(null);
    expect(data.needs_onboarding).to.equal(true);
  });

  it('the disciplines are the configured ones, and the general limit too', async () => {
    const caller = open();
    const { token } = (await caller.call('POST', '/sign-in', { json: lea })).json.data;
    const fresh = callerOf(server, '/clinic/v1');
    const md = await fresh.call('POST', '/complete-onboarding', { token, json: { discipline: 'mD' } });
    expect(md.json.data.discipline).to.equal('MD');
    expect(md.headers['x-ratelimit-limit']).to.equal('3');
    const pt = await fresh.call('POST', '/complete-onboarding', { token, json: { discipline: 'PT' } });
    expect(pt.json.errors).to.deep.equal({ discipline: ['The selected discipline is invalid.'] });
  });

  it('F1 a provider without audiences is switched off; another has its own, and its own time', async () => {
    const now = Math.floor(Date.now() / 1000);
    const send = async (provider: 'google' | 'apple', claims: Record<string, unknown>) =>
      open().call('POST', '/register/social', {
        json: {
          provider,
          id_token: await server.upstream.signIdToken(provider, {
            sub: 's-1',
            email: 'new-s@x.test',
            email_verified: true,
            ...claims,
          }),
          email: 'new-s@x.test',
          first_name: 'A',
          last_name: 'B',
        },
      });
    const off = await send('google', {});
    expect([off.status, off.json.errors]).to.deep.equal([
      422,
      { provider: ['The selected provider is invalid.'] },
    ]);
    expect((await send('apple', {})).status, 'the audience of the federation').to.equal(401);
    expect((await send('apple', { aud: 'the-app', iat: now - 125 })).status, 'too old').to.equal(401);
    expect((await send('apple', { aud: ['the-app'], iat: now - 100 })).status).to.equal(200);
  });

  it('F8 keys that cannot be fetched are 503 with Retry-After, and use nothing up', async () => {
    const other = await startTestServer();
    try {
      const caller = callerOf(other, '/api/therapist/v1');
      const email = 'new-down@x.test';
      const json = {
        provider: 'google',
        id_token: await other.upstream.signIdToken('google', { sub: 'g-down', email, email_verified: true }),
        email,
        first_name: 'A',
        last_name: 'B',
      };
      other.upstream.setDown(true);
      const answer = await caller.call('POST', '/sign-in/social', { json });
      expect([answer.status, answer.json]).to.deep.equal([
        503,
        { status: false, message: 'Service unavailable. Please try again later.' },
      ]);
      expect(answer.headers['retry-after']).to.equal('5');
      expect(answer.headers['x-ratelimit-remaining']).to.equal('9');
    } finally {
      await other.close();
    }
  });

  it('a provider that the server does not know is invalid, not unavailable', async () => {
    const other = await startTestServer({ config: { federation: { google: { enabled: false } } } });
    try {
      const json = { provider: 'google', id_token: 'x', email: 'a@x.test', first_name: 'A', last_name: 'B' };
      const answer = await callerOf(other, '/api/therapist/v1').call('POST', '/sign-in/social', { json });
      expect(answer.json.errors).to.deep.equal({ provider: ['The selected provider is invalid.'] });
    } finally {
      await other.close();
    }
  });

  it('settings that mean nothing stop the start', () => {
    const wrong = {
      'a refresh token': { refreshToken: { lifetime: '30d' } },
      'HS256 without a secret': { accessToken: { signing: 'HS256' } },
      'a secret without HS256': { accessToken: { secret: SECRET } },
      'a short secret': { accessToken: { signing: 'HS256', secret: 'x'.repeat(31) } },
      'another algorithm': { accessToken: { signing: 'none' } },
      'no requests at all': { limits: { auth: 0 } },
      'a negative trial': { trialDays: -1 },
      'a base that ends in a slash': { base: '/api/' },
      'a key that there is not': { refuseRole: ['patient'] },
    };
    for (const [what, input] of Object.entries(wrong)) {
      expect(settings.safeParse(input).success, what).to.equal(false);
    }
    expect(settings.parse({})).to.deep.include({
      enabled: false,
      base: '/api/therapist/v1',
      organization: 'default',
      clientId: 'visitnote-legacy',
      limits: { auth: 10, general: 60 },
      trialDays: 14,
      refuseRoles: ['patient'],
    });
    expect(settings.parse({}).accessToken).to.deep.equal({ lifetime: 86_400, signing: 'ES256' });
    expect(settings.parse({}).social.maxAge).to.equal(600);
  });
});
