/** Eight ways to wait at an address that is somebody else's. Each resolves with whether it still opens anything. */
import { expect } from 'chai';
import { setStatus } from '../../../src/identity/accounts/set-status.ts';
import { linkIdentity } from '../../../src/identity/upstream/link-identity.ts';
import { CLINIC_KEY, PASSWORD, type Squatted } from './world.ts';

export type StillOpen = () => Promise<boolean>;
export interface Squat {
  readonly name: string;
  readonly account: 'registered' | "a clinic's";
  make(world: Squatted): Promise<StillOpen>;
}

const signIn = ({ post, email }: Squatted) => post('/api/v1/auth/login', { email, password: PASSWORD });

async function tokensOf(world: Squatted): Promise<{ access: string; refresh: string }> {
  const answer = await signIn(world);
  expect(answer.status).to.equal(200);
  const { access_token, refresh_token } = answer.json() as Record<string, string>;
  return { access: access_token ?? '', refresh: refresh_token ?? '' };
}

/** The hosted page's password form, filled in; the browser is where the sign-in ends. */
async function browse(world: Squatted) {
  const visit = await world.channel.begin();
  return visit.press('/sign-in', { login: world.email, password: PASSWORD });
}

const me = async ({ client }: Squatted, headers: Record<string, string>) =>
  (await client.send({ method: 'GET', path: '/api/v1/auth/me', headers })).status === 200;

const clinic = (world: Squatted) =>
  world.post(
    '/api_v3/users/sso',
    {
      first_name: 'Kim',
      last_name: 'Ray',
      type: 200,
      code: world.email,
      email: world.email,
      username: nameOf(world),
    },
    { 'x-apikey': CLINIC_KEY },
  );

const nameOf = ({ email }: Squatted) => `name-${email.split('@')[0]}`;

/** What the clinic's key opens: the account's id at this vendor. */
async function clinicOpens(world: Squatted): Promise<{ id: string; token: string }> {
  const answer = await clinic(world);
  expect(answer.status, answer.text).to.equal(200);
  const { data } = answer.json() as { data: { id: string; token: { token: string } } };
  return { id: data.id, token: data.token.token };
}

export const SQUATS: readonly Squat[] = [
  {
    name: 'a password',
    account: 'registered',
    make: async (world) => async () => (await signIn(world)).status === 200,
  },
  {
    name: "a vendor's tokens",
    account: 'registered',
    async make(world) {
      const { access, refresh } = await tokensOf(world);
      return async () => {
        const alive = await me(world, { authorization: `Bearer ${access}` });
        if (!alive) {
          expect((await world.post('/api/v1/auth/refresh', { refresh_token: refresh })).status).to.equal(401);
        }
        return alive;
      };
    },
  },
  {
    name: "a browser session and an app's grant",
    account: 'registered',
    async make(world) {
      const { server, party } = world.channel;
      const visit = await browse(world);
      const tokens = await party.finish(visit.started, String(visit.at));
      return async () => {
        const authorization = `Bearer ${tokens.access_token}`;
        const app = await world.client.send({ method: 'GET', path: '/userinfo', headers: { authorization } });
        const page = await visit.session.request(`${server.url}/account`);
        expect(app.status === 200).to.equal(page.status === 200);
        return page.status === 200;
      };
    },
  },
  {
    name: 'a sign-in that waits for its browser',
    account: 'registered',
    async make(world) {
      const visit = await world.channel.begin();
      const [form] = visit.page.forms.filter(({ names }) => names.includes('password'));
      if (form === undefined) throw new Error('There is no form.');
      const body = new URLSearchParams({ ...form.fields, login: world.email, password: PASSWORD });
      const headers = { origin: world.channel.server.url, 'sec-fetch-site': 'same-origin' };
      const answer = await visit.session.request(form.action, { method: 'POST', body, headers });
      const next = new URL(answer.headers.get('location') ?? '', form.action).href;
      let tried = 0;
      return async () => {
        // It can be followed once; before the proof that it is there is enough.
        tried += 1;
        if (tried === 1) return answer.status === 303;
        const end = await visit.session.open(next, [world.channel.party.client.redirectUri]);
        return typeof end === 'string' && new URL(end).searchParams.has('code');
      };
    },
  },
  {
    name: 'an API key',
    account: 'registered',
    async make(world) {
      const { access } = await tokensOf(world);
      const headers = { authorization: `Bearer ${access}` };
      const answer = await world.post(
        '/api/v1/api-keys',
        { name: 'Back door', scopes: ['read:users'] },
        headers,
      );
      const { key = '' } = answer.json() as Record<string, string>;
      return () => me(world, { 'x-api-key': key });
    },
  },
  {
    name: 'a link token',
    account: 'registered',
    async make(world) {
      await world.post('/patient/auth/forgot', { email: world.email });
      const token = await world.nextEmail(/token=(rst_[\w-]+)/);
      const path = `/patient/auth/forgot/validate?token=${token}`;
      return async () => (await world.client.send({ method: 'GET', path })).status === 200;
    },
  },
  {
    name: 'a one-time code',
    account: 'registered',
    async make(world) {
      const { stores } = world.channel.server.running;
      const account = await stores.accounts.byEmail('default', world.email);
      // Of a purpose that no proof asks for, so that no newer one replaces it.
      const code = {
        codeHash: 'h',
        accountId: account?.id ?? '',
        organization: 'default',
        asker: 'a',
        tries: 100,
      };
      const now = new Date();
      const expiresAt = new Date(now.getTime() + 3_600_000);
      await stores.codes.put(`squat:${world.email}`, { ...code, createdAt: now, expiresAt });
      return async () =>
        (await stores.codes.attempt(`squat:${world.email}`, 'b', 'x', new Date())) === 'wrong';
    },
  },
  {
    name: 'a link to an upstream that did not vouch',
    account: 'registered',
    async make(world) {
      const { channel, email } = world;
      const account = await channel.account(email);
      const subject = `stranger-${email}`;
      const issuer = channel.server.upstream.issuers.google;
      await linkIdentity(channel.server.running.identity, { accountId: account?.id ?? '', issuer, subject });
      return async () => {
        const visit = await (await channel.begin()).with('google', { sub: subject });
        return typeof visit.at === 'string' && (await visit.claims()).sub === account?.id;
      };
    },
  },
  {
    name: "a clinic's single sign-on, and the name that it chose",
    account: "a clinic's",
    async make(world) {
      const { id, token } = await clinicOpens(world);
      const { stores } = world.channel.server.running;
      const owned = await world.channel.account(world.email);
      return async () => {
        const headers = { 'x-apitoken': token };
        const alive =
          (await world.client.send({ method: 'GET', path: '/api_v3/me', headers })).status === 200;
        const named = await stores.accounts.byUsername('default', nameOf(world));
        const again = await clinicOpens(world);
        return alive || again.id === id || named?.id === owned?.id;
      };
    },
  },
];

/** The account that they wait in. */
export async function open(world: Squatted, account: Squat['account']): Promise<void> {
  if (account !== 'registered') return;
  const { email } = world;
  const created = await world.post('/api/v1/auth/register', { name: 'Dr. Squat', email, password: PASSWORD });
  expect(created.status).to.equal(201);
}

/** An operator's act, for the one proof that is for inactive accounts. */
export async function setInactive(world: Squatted, status: 'active' | 'inactive'): Promise<void> {
  const { identity } = world.channel.server.running;
  const account = await world.channel.account(world.email);
  await setStatus(identity, { accountId: account?.id ?? '', status });
}
