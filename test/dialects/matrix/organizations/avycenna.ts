import { expect } from 'chai';
import { randomText, randomToken } from '../../../../src/core/crypto.ts';
import { BASE62, HEX } from '../../../../src/dialects/contract/tokens.ts';
import { createApiKey } from '../../../../src/identity/accounts/api-keys.ts';
import { SIX_DIGITS, sendCode } from '../../../../src/identity/codes/one-time-code.ts';
import { makeState } from '../../../../src/identity/codes/redirect-state.ts';
import { avycenna } from '../../vendors.ts';
import { PASSWORD, type Sent } from '../world.ts';
import { type Ask, type Cast, oneOrganization, type Row, withHeaders } from './questions.ts';

const BASE = '/api/v1';
const [HERE, ELSEWHERE] = ['default', 'clinicdev'] as const;
const KEY_ID = { prefix: 'key_', alphabet: BASE62, length: 8 };
const KEY = { prefix: 'avk_', alphabet: HEX, length: 64 };
const REFRESH = { prefix: 'rt_', alphabet: HEX, length: 64 };
const refusal = (detail: string) => ({ status: 401, json: { detail } });

const post = (path: string, json: unknown, headers = {}): Sent => ({
  method: 'POST',
  path: `${BASE}${path}`,
  json,
  headers,
});
const nobody = () => `${randomToken('nobody-').toLowerCase()}@matrix.test`;

/** May make and see API keys. */
const chief = (cast: Cast, organization: string) =>
  cast.person(organization, 'chief', { roles: ['admin'], vendor: { avycenna: { role: 'admin' } } });

async function credentialOf(cast: Cast, organization: string | undefined): Promise<Record<string, string>> {
  const token =
    organization === undefined
      ? 'eyJhbGciOiJFUzI1NiJ9.eyJzdWIiOiJub2JvZHkifQ.bm9uZQ'
      : (await cast.world.mint(avycenna, await chief(cast, organization))).access;
  return avycenna.me.headers(token);
}

async function apiKey(cast: Cast, organization: string) {
  const account = await chief(cast, organization);
  const input = { organization, vendor: 'avycenna', accountId: account.id, name: 'reader' };
  return createApiKey(cast.world.server.running.identity, {
    ...input,
    scopes: ['admin', 'read:users'],
    id: KEY_ID,
    key: KEY,
  });
}

async function keyHeader(cast: Cast, organization: string | undefined): Promise<Record<string, string>> {
  const key = organization === undefined ? randomText(KEY) : (await apiKey(cast, organization)).key;
  return { 'x-api-key': key };
}

/** `ask` without a credential; once with a token and, where one is taken, once with an API key. */
function protectedRoute(ask: Ask, context: { says: number; withKey?: number }): Row {
  const byToken = (organization?: string): Ask => {
    return async (cast) => withHeaders(ask, await credentialOf(cast, organization))(cast);
  };
  const byKey = (organization?: string): Ask => {
    return async (cast) => withHeaders(ask, await keyHeader(cast, organization))(cast);
  };
  const ofTokens = oneOrganization({
    own: byToken(HERE),
    says: context.says,
    other: byToken(ELSEWHERE),
    refused: avycenna.deadToken,
    none: byToken(),
    by: 'token',
  });
  if (context.withKey === undefined) return ofTokens;
  const ofKeys = oneOrganization({
    own: byKey(HERE),
    says: context.withKey,
    other: byKey(ELSEWHERE),
    refused: refusal('Invalid API key'),
    none: byKey(),
    by: 'API key',
  });
  return [...ofTokens, ...ofKeys];
}

const get =
  (path: string): Ask =>
  async () => ({ method: 'GET', path: `${BASE}${path}` });

/** Deletes a key of a person of the organization, as a person of this one. */
const deletes =
  (organization?: string): Ask =>
  async (cast) => ({
    method: 'DELETE',
    path: `${BASE}/api-keys/${organization === undefined ? randomText(KEY_ID) : (await apiKey(cast, organization)).record.id}`,
    headers: await credentialOf(cast, HERE),
  });

const byEmail = (path: string, email: (cast: Cast) => Promise<string>, more = {}): Ask => {
  return async (cast) => post(path, { email: await email(cast), ...more });
};

const emailIn = (organization: string) => async (cast: Cast) =>
  (await cast.world.person({ organization, password: null })).email ?? '';

/** A code that was sent to a person of the organization for this very channel. */
function verify(organization?: string): Ask {
  return async ({ world }) => {
    if (organization === undefined) return post('/auth/otp/verify', { email: nobody(), otp: '123456' });
    const account = await world.person({ organization, password: null });
    const terms = { form: SIX_DIGITS, lifetime: 600, tries: 5, email: 'code' } as const;
    const bound = { purpose: 'avycenna-otp', binding: account.email ?? '', asker: { address: '192.0.2.1' } };
    await sendCode(world.server.running.identity, { account, ...bound, ...terms });
    const { text } = await world.server.mail.take(account.email ?? '');
    return post('/auth/otp/verify', { email: account.email, otp: /\b(\d{6})\b/.exec(text)?.[1] });
  };
}

const refresh =
  (organization?: string): Ask =>
  async (cast) => {
    const minted = organization && (await cast.world.mint(avycenna, await chief(cast, organization))).refresh;
    return post('/auth/refresh', { refresh_token: minted ?? randomText(REFRESH) });
  };

/** Signs out with a token of this organization, naming a sign-in of another. */
const signOutOf =
  (organization?: string): Ask =>
  async (cast) =>
    post(
      '/auth/logout',
      {
        refresh_token: organization
          ? (await cast.world.mint(avycenna, await chief(cast, organization))).refresh
          : randomText(REFRESH),
      },
      await credentialOf(cast, HERE),
    );

async function livesOn(cast: Cast): Promise<void> {
  const { access, refresh: token } = await cast.world.mint(avycenna, await chief(cast, ELSEWHERE));
  await cast.world.send(post('/auth/logout', { refresh_token: token }, await credentialOf(cast, HERE)));
  expect(await cast.world.introspect(access)).to.include({ active: true });
}

/** The way back from Google: a state of the organization, bound to this browser. */
function callback(organization?: string): Ask {
  return async ({ world }) => {
    const { identity } = world.server.running;
    const state = randomToken();
    if (organization !== undefined) {
      const purpose = 'upstream:avycenna:google';
      const data = { carry: { native: null } };
      await makeState(identity, { purpose, organization, lifetime: 600, data, token: state });
    }
    const parked = { callback: `${world.server.issuer}${BASE}/auth/oauth/google/callback`, keep: {} };
    const binding = identity.secrets.encrypt(JSON.stringify(parked), `upstream:avycenna:google:${state}`);
    return {
      method: 'GET',
      path: `${BASE}/auth/oauth/google/callback?error=access_denied&state=${state}`,
      headers: { cookie: `avycenna_oauth=${encodeURIComponent(binding)}` },
    };
  };
}

export const rows: Readonly<Record<string, Row>> = {
  'avycenna GET /api/v1/auth/me': protectedRoute(get('/auth/me'), { says: 200, withKey: 200 }),
  'avycenna GET /api/v1/api-keys': protectedRoute(get('/api-keys'), { says: 200, withKey: 200 }),
  'avycenna POST /api/v1/api-keys': protectedRoute(
    async () => post('/api-keys', { name: 'reader', scopes: ['read:health'] }),
    { says: 201, withKey: 201 },
  ),
  'avycenna DELETE /api/v1/api-keys/:id': [
    ...protectedRoute(async () => ({ method: 'DELETE', path: `${BASE}/api-keys/key_00000000` }), {
      says: 404,
      withKey: 404,
    }),
    { place: 'own', by: 'id', ask: deletes(HERE), says: 204 },
    {
      place: 'other',
      by: 'id',
      ask: deletes(ELSEWHERE),
      says: { status: 404, json: { detail: 'API key not found' } },
      like: deletes(),
    },
  ],
  'avycenna POST /api/v1/auth/logout': [
    ...protectedRoute(async () => post('/auth/logout', { refresh_token: randomText(REFRESH) }), {
      says: 200,
    }),
    {
      place: 'other',
      by: 'refresh token',
      ask: signOutOf(ELSEWHERE),
      says: 200,
      like: signOutOf(),
      besides: livesOn,
    },
  ],
  'avycenna POST /api/v1/auth/login': oneOrganization({
    own: byEmail('/auth/login', (cast) => cast.email(HERE), { password: PASSWORD }),
    says: 200,
    other: byEmail('/auth/login', (cast) => cast.email(ELSEWHERE), { password: PASSWORD }),
    refused: avycenna.refused,
    none: byEmail('/auth/login', async () => nobody(), { password: PASSWORD }),
    by: 'name',
  }),
  'avycenna POST /api/v1/auth/otp/send': oneOrganization({
    own: byEmail('/auth/otp/send', emailIn(HERE)),
    says: 200,
    other: byEmail('/auth/otp/send', (cast) => cast.silentEmail(ELSEWHERE, 'otp')),
    refused: 200,
    none: byEmail('/auth/otp/send', async () => nobody()),
    by: 'name',
  }),
  'avycenna POST /api/v1/auth/otp/verify': oneOrganization({
    own: verify(HERE),
    says: 200,
    other: verify(ELSEWHERE),
    refused: refusal('Invalid or expired OTP'),
    none: verify(),
    by: 'code',
  }),
  'avycenna POST /api/v1/auth/refresh': oneOrganization({
    own: refresh(HERE),
    says: 200,
    other: refresh(ELSEWHERE),
    refused: refusal('Invalid refresh token'),
    none: refresh(),
    by: 'refresh token',
  }),
  'avycenna POST /api/v1/auth/register': oneOrganization({
    own: byEmail('/auth/register', emailIn(HERE), { password: PASSWORD, name: 'Ada' }),
    says: { status: 409, json: { detail: 'Email already registered' } },
    other: byEmail('/auth/register', emailIn(ELSEWHERE), { password: PASSWORD, name: 'Ada' }),
    refused: 201,
    none: byEmail('/auth/register', async () => nobody(), { password: PASSWORD, name: 'Ada' }),
    by: 'name',
  }),
  'avycenna GET /api/v1/auth/oauth/google': oneOrganization({
    own: get('/auth/oauth/google'),
    says: 302,
    other: get('/auth/oauth/google?organization=clinicdev'),
    refused: 302,
    none: get('/auth/oauth/google?organization=nowhere'),
    by: 'query',
  }),
  'avycenna GET /api/v1/auth/oauth/google/callback': oneOrganization({
    own: callback(HERE),
    says: 302,
    other: callback(ELSEWHERE),
    refused: { status: 400, json: { detail: 'Invalid OAuth state' } },
    none: callback(),
    by: 'state',
  }),
};
