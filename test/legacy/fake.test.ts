/** The hand-written legacy system says what the vendors' contracts say, and fails as it is told to. */
import { expect } from 'chai';
import { type LegacySystem, startLegacySystem } from '../support/legacy-system.ts';
import type { LegacyPerson } from '../support/legacy-vendors/world.ts';

type Reply = { status: number; json: Record<string, object> };

async function ask(
  url: string,
  path: string,
  { json, headers }: { json?: object; headers?: Record<string, string> } = {},
): Promise<Reply> {
  const reply = await fetch(url + path, {
    redirect: 'manual',
    headers: { 'content-type': 'application/json', ...headers },
    ...(json && { method: 'POST', body: JSON.stringify(json) }),
  });
  return { status: reply.status, json: JSON.parse((await reply.text()) || 'null') };
}

describe('a hand-written legacy system', () => {
  let system: LegacySystem;
  let mara: LegacyPerson;
  let pat: LegacyPerson;
  before(async () => {
    system = await startLegacySystem();
    mara = system.add('visitnote', { email: 'mara@clinic.test', password: 'Harbour-41' });
    pat = system.add('vsee', { email: 'pat@x.test', password: 'Willow-87' });
  });
  after(() => system.close());

  it('signs people in at VisitNote, knows the token until sign-out, and refuses others', async () => {
    const signIn = (password: string) =>
      ask(system.url, '/api/therapist/v1/sign-in', { json: { email: 'mara@clinic.test', password } });
    expect(await signIn('wrong')).to.deep.equal({
      status: 401,
      json: { status: false, message: 'Invalid credentials' },
    });
    const { status, json } = await signIn('Harbour-41');
    const { token, ...rest } = json.data as { token: unknown };
    const login = { uuid: mara.id, first_name: 'Mara', last_name: 'Ito', email: mara.email };
    expect({ status, token: /^\d+\|[0-9a-f]{40}$/.test(String(token)), rest }).to.deep.equal({
      status: 200,
      token: true,
      rest: {
        loginData: { ...login, subscription_status: 'active' },
        trial_ends_at: null,
        needs_onboarding: false,
      },
    });
    const headers = { authorization: `Bearer ${token}` };
    const profile = () => ask(system.url, '/api/therapist/v1/my-profile', { headers });
    expect(Object.keys((await profile()).json.data ?? {})).to.have.length(11);
    await ask(system.url, '/api/therapist/v1/logout', { json: {}, headers });
    expect((await profile()).json).to.deep.equal({ status: false, message: 'Invalid or expired token' });
  });

  it('rotates a refresh token of VSee once, and forgets people who are removed', async () => {
    const { access, refresh } = system.issue(pat);
    const json = { refresh_token: refresh?.value };
    const first = await ask(system.url, '/api_v3/tokens/refresh', { json });
    const second = await ask(system.url, '/api_v3/tokens/refresh.json', { json });
    expect([first.status, second.status]).to.deep.equal([200, 401]);
    const me = () => ask(system.url, '/api_v3/me', { headers: { 'x-apitoken': access.value } });
    expect(Object.keys((await me()).json.data ?? {})).to.have.length(11);
    system.world.remove(pat);
    expect((await me()).status).to.equal(401);
  });

  it('notes what it was asked, and suffers what it is told to where it is told to', async () => {
    system.forget();
    system.suffer({ kind: 'status', status: 429, headers: { 'retry-after': '7' } }, /sign-in/);
    const json = { email: 'a@b.test', password: 'x' };
    expect((await ask(system.url, '/api/therapist/v1/sign-in', { json })).status).to.equal(429);
    expect((await ask(system.url, '/api/therapist/v1/my-profile')).status).to.equal(401);
    expect(system.calls.map(({ method, url, body }) => [method, url, body])).to.deep.equal([
      ['POST', '/api/therapist/v1/sign-in', json],
      ['GET', '/api/therapist/v1/my-profile', {}],
    ]);
    system.suffer(undefined);
  });
});
