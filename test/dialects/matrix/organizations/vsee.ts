import { expect } from 'chai';
import { randomText, randomToken } from '../../../../src/core/crypto.ts';
import { HEX } from '../../../../src/dialects/contract/tokens.ts';
import { ensureAlias } from '../../../../src/identity/accounts/vendor-ids.ts';
import type { Refusal } from '../../../conformance/dialect-under-test.ts';
import { vsee } from '../../vendors.ts';
import { PASSWORD, type Sent } from '../world.ts';
import { type Ask, type Cast, type Question, type Row, withHeaders } from './questions.ts';

/** Both speak VSee. */
const [HERE, ELSEWHERE] = ['clinicdev', 'clinicroll'] as const;
const TOKEN = { alphabet: HEX, length: 32 };
const STAFF = { vendor: { vsee: { type: 400, subtype: '482', tos: true } } };
const KEY = '6f1d2c3b4a5968778695a4b3c2d1e0f1';

const says = (status: number, message: string): Refusal => ({ status, json: { code: status, message } });
const BAD_CODE = says(401, 'Invalid account code.');
const BAD_KEY = says(401, 'Invalid API key.');

const named = (ask: Ask, code: string) => withHeaders(ask, { 'x-accountcode': code });
const onHost = (ask: Ask, code: string) => withHeaders(ask, { host: `api-${code}.vsee.test` });
const nobody = () => `${randomToken('nobody-').toLowerCase()}@matrix.test`;

/** North Clinic exists and does not speak VSee: to this dialect it does not exist. */
const unknownCode = (ask: Ask): Question[] => [
  {
    place: 'other',
    by: 'code of no VSee account',
    ask: named(ask, 'north_clinic'),
    says: BAD_CODE,
    like: named(ask, 'nowhere'),
  },
  {
    place: 'conflicting',
    by: 'unknown code, own host',
    ask: onHost(named(ask, 'nowhere'), HERE),
    says: BAD_CODE,
  },
];

const post =
  (path: string, json: (cast: Cast) => Promise<object>): Ask =>
  async (cast) => ({ method: 'POST', path: `/api_v3${path}`, json: await json(cast) });

/** Where the code decides, then the host, then the configuration. */
function openRoute(context: { own: Ask; none: Ask; says: number; refused: number | Refusal }): Row {
  const { own, none, refused } = context;
  return [
    { place: 'own', by: 'code', ask: named(own, HERE), says: context.says },
    { place: 'own', by: 'host', ask: onHost(own, HERE), says: context.says },
    { place: 'other', by: 'code', ask: named(own, ELSEWHERE), says: refused, like: named(none, ELSEWHERE) },
    { place: 'other', by: 'host', ask: onHost(own, ELSEWHERE), says: refused, like: onHost(none, ELSEWHERE) },
    { place: 'missing', by: 'the configuration', ask: own, says: refused, like: none },
    {
      place: 'conflicting',
      by: 'own code, other host',
      ask: onHost(named(own, HERE), ELSEWHERE),
      says: context.says,
    },
    {
      place: 'conflicting',
      by: 'other code, own host and body',
      ask: async (cast) => {
        const sent = await onHost(named(own, ELSEWHERE), HERE)(cast);
        return { ...sent, json: { ...(sent.json as object), account_code: HERE } };
      },
      says: refused,
      like: onHost(named(none, ELSEWHERE), HERE),
    },
    ...unknownCode(own),
  ];
}

/** Where a token decides: a code that contradicts it makes it worthless. */
function byToken(context: { own: Ask; none: Ask; says: number; refused?: Refusal }): Row {
  const { own, none, refused = vsee.deadToken } = context;
  return [
    { place: 'own', by: 'code', ask: named(own, HERE), says: context.says },
    { place: 'other', by: 'code', ask: named(own, ELSEWHERE), says: refused, like: named(none, ELSEWHERE) },
    { place: 'missing', by: 'token alone', ask: own, says: context.says },
    { place: 'missing', by: 'no token that is good', ask: none, says: refused },
    { place: 'conflicting', by: 'token, other host', ask: onHost(own, ELSEWHERE), says: context.says },
    {
      place: 'conflicting',
      by: 'other code, own host',
      ask: onHost(named(own, ELSEWHERE), HERE),
      says: refused,
      like: onHost(named(none, ELSEWHERE), HERE),
    },
    ...unknownCode(own),
  ];
}

function bearer(method: string, path: string | ((cast: Cast) => Promise<string>), json?: unknown): Row {
  const at =
    (token: (cast: Cast) => Promise<string>): Ask =>
    async (cast) => ({
      method,
      path: `/api_v3${typeof path === 'string' ? path : await path(cast)}`,
      headers: vsee.me.headers(await token(cast)),
      ...(json === undefined ? {} : { json }),
    });
  return byToken({ own: at(staffToken), none: at(async () => randomText(TOKEN)), says: 200 });
}

async function staffToken(cast: Cast): Promise<string> {
  return (await cast.world.mint(vsee, await cast.person(HERE, 'staff', STAFF))).access;
}

/** The vendor's id of somebody of the organization. */
async function idOf(cast: Cast, organization: string): Promise<string> {
  const account = await cast.person(organization);
  const form = { alphabet: '0123456789', length: 11, first: '23456789' };
  const withAlias = await ensureAlias(cast.world.server.running.identity, account, { name: 'vsee', form });
  return String(withAlias.aliases.vsee);
}

const asStaff =
  (path: (cast: Cast) => Promise<string>): Ask =>
  async (cast): Promise<Sent> => ({
    method: 'GET',
    path: `/api_v3${await path(cast)}`,
    headers: vsee.me.headers(await staffToken(cast)),
  });

const refresh = (own: boolean): Ask =>
  post('/tokens/refresh', async (cast) => ({
    refresh_token: own ? (await cast.world.mint(vsee, await cast.person(HERE))).refresh : randomText(TOKEN),
  }));

/** A code that contradicts it rotates nothing: the token is as good as before. */
async function stillGood(cast: Cast): Promise<void> {
  const ask = await refresh(true)(cast);
  await cast.world.send({ ...ask, headers: { 'x-accountcode': ELSEWHERE } });
  expect((await cast.world.send(ask)).status).to.equal(200);
}

const singleSignOn = (key: string): Ask =>
  withHeaders(
    post('/users/sso', async () => ({
      first_name: 'Kim',
      last_name: 'Ray',
      type: 200,
      code: 'matrix-1',
    })),
    { 'x-apikey': key },
  );

function emails(path: string, more: object): Row {
  const ask = (email: (cast: Cast) => Promise<string>) =>
    post(path, async (cast) => ({ email: await email(cast), ...more }));
  const member = async ({ world }: Cast) => (await world.person({ organization: HERE })).email ?? '';
  return [
    ...openRoute({ own: ask(member), none: ask(async () => nobody()), says: 200, refused: 200 }),
    {
      place: 'other',
      by: 'code, for the letter',
      ask: named(
        post(path, async (cast) => ({ email: await cast.silentEmail(HERE, path), ...more })),
        // Nobody on its roster has the name, so that nobody is made there either.
        ELSEWHERE,
      ),
      says: 200,
    },
  ];
}

/** A browser's link token: neither code nor host is looked at, and it leads to its own clinic's portal. */
function linkToken(path: string): Row {
  const at =
    (token: (cast: Cast) => Promise<string>): Ask =>
    async (cast) => ({ method: 'GET', path: `${path}?sso_token=${await token(cast)}&next=/u/clinic` });
  const own = at(async (cast) => (await cast.world.mint(vsee, await cast.person(HERE))).access);
  const none = at(async () => randomText(TOKEN));
  const home: Question['besides'] = async (_cast, reply) => {
    expect(reply.headers.location).to.match(/^http:\/\/portal\.clinicdev\.test\/(vc\/next\/)?u\/clinic$/);
  };
  return [
    { place: 'own', by: 'code', ask: named(own, HERE), says: 303, besides: home },
    { place: 'other', by: 'code', ask: named(own, ELSEWHERE), says: 303, besides: home },
    { place: 'other', by: 'unknown code', ask: named(own, 'nowhere'), says: 303, besides: home },
    { place: 'missing', by: 'token alone', ask: own, says: 303, besides: home },
    { place: 'missing', by: 'no token that is good', ask: none, says: 401, like: named(none, HERE) },
    {
      place: 'conflicting',
      by: 'code and host of others',
      ask: onHost(named(own, ELSEWHERE), 'clinicoff'),
      says: 303,
      besides: home,
    },
  ];
}

const login = (username: (cast: Cast) => Promise<string>) =>
  post('/users/login', async (cast) => ({ username: await username(cast), password: PASSWORD }));

export const rows: Readonly<Record<string, Row>> = {
  'vsee POST /api_v3/users/login': openRoute({
    own: login((cast) => cast.email(HERE)),
    none: login(async () => nobody()),
    says: 200,
    refused: vsee.refused,
  }),
  'vsee GET /api_v3/me': bearer('GET', '/me'),
  'vsee POST /api_v3/me': bearer('POST', '/me', { city: 'San Jose' }),
  'vsee POST /api_v3/users/alive': bearer('POST', '/users/alive', {}),
  'vsee GET /api_v3/users': [
    ...bearer('GET', '/users'),
    {
      place: 'other',
      by: 'query',
      ask: asStaff(async () => `/users?account_code=${ELSEWHERE}`),
      says: { status: 200, json: { data: [], total_count: 0 } },
      like: asStaff(async () => '/users?account_code=nowhere'),
    },
    {
      place: 'other',
      by: 'id in the query',
      ask: asStaff(async (cast) => `/users?id=${await idOf(cast, ELSEWHERE)}`),
      says: { status: 200, json: { data: [], total_count: 0 } },
      like: asStaff(async () => '/users?id=99999999999'),
    },
  ],
  'vsee GET /api_v3/users/:id': [
    ...bearer('GET', async (cast) => `/users/${await idOf(cast, HERE)}`),
    {
      place: 'other',
      by: 'id',
      ask: asStaff(async (cast) => `/users/${await idOf(cast, ELSEWHERE)}`),
      says: says(404, 'Sorry, this page is not available.'),
      like: asStaff(async () => '/users/99999999999'),
    },
  ],
  'vsee POST /api_v3/tokens/refresh': byToken({ own: refresh(true), none: refresh(false), says: 200 }).map(
    (question) => (question.by === 'code' ? { ...question, besides: stillGood } : question),
  ),
  'vsee POST /api_v3/users/logout': logoutRow(),
  'vsee POST /api_v3/users/activate': emails('/users/activate', { first_name: 'Kim', last_name: 'Ray' }),
  'vsee POST /api_v3/users/reset_password': emails('/users/reset_password', {}),
  'vsee POST /api_v3/users/sso': byToken({
    own: singleSignOn(KEY),
    none: singleSignOn(randomText(TOKEN)),
    says: 200,
    refused: BAD_KEY,
  }),
  'vsee GET /auth': linkToken('/auth'),
  'vsee GET /vc/:env/auth': linkToken('/vc/next/auth'),
};

/** Possession of a token is enough; only a code that is not known is refused. */
function logoutRow(): Row {
  const own = post('/users/logout', async (cast) => ({
    tokens: [(await cast.world.mint(vsee, await cast.person(HERE))).access],
  }));
  const none = post('/users/logout', async () => ({ tokens: [randomText(TOKEN)] }));
  return [
    { place: 'own', by: 'code', ask: named(own, HERE), says: 200 },
    { place: 'other', by: 'code', ask: named(own, ELSEWHERE), says: 200, like: named(none, ELSEWHERE) },
    { place: 'missing', by: 'token alone', ask: own, says: 200, like: none },
    {
      place: 'conflicting',
      by: 'other code, other host',
      ask: onHost(named(own, ELSEWHERE), 'clinicoff'),
      says: 200,
    },
    ...unknownCode(own),
  ];
}
