import { expect } from 'chai';
import { randomToken } from '../../../../src/core/crypto.ts';
import { sendLinkToken } from '../../../../src/identity/codes/link-token.ts';
import type { Refusal } from '../../../conformance/dialect-under-test.ts';
import { careportals } from '../../vendors.ts';
import { PASSWORD, type Sent } from '../world.ts';
import { type Ask, type Cast, type Question, type Row, withHeaders } from './questions.ts';

const [NORTH, SOUTH] = ['north_clinic', 'south_clinic'] as const;
const HOSTS = { [NORTH]: 'north-clinic.portal.test', [SOUTH]: 'south-clinic.portal.test' } as const;
const NOT_FOUND: Refusal = { status: 400, json: { message: 'Organization not found' } };
const FORBIDDEN: Refusal = { status: 403, json: { message: 'Forbidden' } };
const NO_LINK_TOKEN: Refusal = { status: 401, json: { message: 'Invalid token' } };

const named = (ask: Ask, organization: string) => withHeaders(ask, { organization });
const onHost = (ask: Ask, clinic: keyof typeof HOSTS) => withHeaders(ask, { host: HOSTS[clinic] });
const fromOrigin = (ask: Ask, clinic: keyof typeof HOSTS) =>
  withHeaders(ask, { origin: `https://${HOSTS[clinic]}` });

const nobody = () => `${randomToken('nobody-').toLowerCase()}@matrix.test`;
const post =
  (path: string, json: (cast: Cast) => Promise<object>): Ask =>
  async (cast) => ({ method: 'POST', path, json: await json(cast) });

interface Info {
  /** About a person of the northern clinic; names no organization. */
  readonly own: Ask;
  /** About nobody. */
  readonly none: Ask;
  readonly says: number | Refusal;
  /** What the southern clinic says of it. */
  readonly refused: number | Refusal;
}

/** A header that is not known is refused, and no host rescues it. */
const unknownHeader = (ask: Ask): Question[] => [
  { place: 'other', by: 'unknown header', ask: named(ask, 'nowhere'), says: NOT_FOUND },
  { place: 'other', by: 'repeated header', ask: named(ask, `${NORTH}, ${SOUTH}`), says: NOT_FOUND },
  {
    place: 'conflicting',
    by: 'unknown header, own host',
    ask: onHost(named(ask, 'nowhere'), NORTH),
    says: NOT_FOUND,
    like: onHost(named(ask, 'elsewhere'), SOUTH),
  },
];

/** Routes where the header decides, then the host, then the origin, and nothing else. */
function openRoute({ own, none, says, refused }: Info): Row {
  const elsewhere: [string, (ask: Ask) => Ask][] = [
    ['header', (ask) => named(ask, SOUTH)],
    ['host', (ask) => onHost(ask, SOUTH)],
    ['origin', (ask) => fromOrigin(ask, SOUTH)],
  ];
  return [
    { place: 'own', by: 'header', ask: named(own, NORTH), says },
    { place: 'own', by: 'host', ask: onHost(own, NORTH), says },
    { place: 'own', by: 'origin', ask: fromOrigin(own, NORTH), says },
    ...elsewhere.map(
      ([by, there]): Question => ({ place: 'other', by, ask: there(own), says: refused, like: there(none) }),
    ),
    { place: 'missing', by: 'nothing', ask: own, says: NOT_FOUND, like: none },
    { place: 'conflicting', by: 'own header, other host', ask: onHost(named(own, NORTH), SOUTH), says },
    {
      place: 'conflicting',
      by: 'other header, own host',
      ask: onHost(named(own, SOUTH), NORTH),
      says: refused,
      like: onHost(named(none, SOUTH), NORTH),
    },
    { place: 'conflicting', by: 'own host, other origin', ask: fromOrigin(onHost(own, NORTH), SOUTH), says },
    ...unknownHeader(own),
  ];
}

const credentials = (path: string, username: (cast: Cast) => Promise<string>) =>
  post(path, async (cast) => ({ username: await username(cast), password: PASSWORD }));

function signIn(path: string): Row {
  const own = (cast: Cast) => cast.email(NORTH);
  const context = { own: credentials(path, own), none: credentials(path, async () => nobody()) };
  return [
    ...openRoute({ ...context, says: 201, refused: careportals.refused }),
    {
      place: 'conflicting',
      by: 'uname of another organization',
      ask: named(
        credentials(path, async (cast) => `${await own(cast)}#${NORTH}`),
        SOUTH,
      ),
      says: careportals.refused,
      like: named(
        credentials(path, async () => `${nobody()}#${NORTH}`),
        SOUTH,
      ),
    },
  ];
}

/** Organization users: the header alone names their organization. */
function staffSignIn(path: string): Row {
  const own = credentials(path, (cast) => cast.email(NORTH, 'staff', { roles: ['nurse'] }));
  const none = credentials(path, async () => nobody());
  return [
    { place: 'own', by: 'header', ask: named(own, NORTH), says: 201 },
    {
      place: 'other',
      by: 'header',
      ask: named(own, SOUTH),
      says: careportals.refused,
      like: named(none, SOUTH),
    },
    { place: 'missing', by: 'nothing', ask: own, says: NOT_FOUND, like: none },
    { place: 'missing', by: 'host', ask: onHost(own, NORTH), says: NOT_FOUND, like: none },
    {
      place: 'conflicting',
      by: 'own header, other host',
      ask: onHost(named(own, NORTH), SOUTH),
      says: 201,
    },
    ...unknownHeader(own),
  ];
}

const registration = (email: (cast: Cast) => Promise<string>) =>
  post('/patient/users', async (cast) => ({
    email: await email(cast),
    firstName: 'Ada',
    lastName: 'Quill',
    gender: 'female',
    phone: '+15555550177',
    dob: '1990-01-01',
  }));

/** A fresh one each time: where it is free it is taken at the first call. */
const emailIn = (organization: string) => async (cast: Cast) =>
  (await cast.world.person({ organization, password: null })).email ?? '';

/** The token decides; a header or a host that contradicts it is refused. */
function bearer(method: string, json?: unknown): Row {
  const path = '/patient/users/account';
  const ask = async (token: string): Promise<Sent> => ({
    method,
    path,
    headers: careportals.me.headers(token),
    ...(json === undefined ? {} : { json }),
  });
  const own: Ask = async (cast) => ask((await cast.world.mint(careportals, await cast.person(NORTH))).access);
  const none: Ask = () => ask('eyJhbGciOiJFUzI1NiJ9.eyJzdWIiOiJub2JvZHkifQ.bm9uZQ');
  return [
    { place: 'own', by: 'header', ask: named(own, NORTH), says: 200 },
    { place: 'own', by: 'host', ask: onHost(own, NORTH), says: 200 },
    { place: 'missing', by: 'token alone', ask: own, says: 200 },
    { place: 'missing', by: 'no token that is good', ask: none, says: careportals.deadToken },
    { place: 'other', by: 'header', ask: named(own, SOUTH), says: FORBIDDEN },
    { place: 'other', by: 'host', ask: onHost(own, SOUTH), says: FORBIDDEN },
    { place: 'other', by: 'origin', ask: fromOrigin(own, SOUTH), says: FORBIDDEN },
    {
      place: 'other',
      by: 'no token that is good',
      ask: named(none, SOUTH),
      says: careportals.deadToken,
      like: named(none, NORTH),
    },
    { place: 'conflicting', by: 'own header, other host', ask: onHost(named(own, NORTH), SOUTH), says: 200 },
    {
      place: 'conflicting',
      by: 'other header, own host',
      ask: onHost(named(own, SOUTH), NORTH),
      says: FORBIDDEN,
    },
    ...unknownHeader(own),
  ];
}

/** A reset link's token, of a person of the northern clinic. */
async function linkToken({ world }: Cast): Promise<string> {
  const account = await world.person({ organization: NORTH });
  await sendLinkToken(world.server.running.identity, {
    account,
    purpose: 'reset',
    prefix: 'rst_',
    lifetime: 600,
    link: 'https://portal.test/?token={token}',
    email: 'reset-link',
    supersedes: false,
  });
  const letter = await world.server.mail.take(account.email ?? '');
  return /token=(rst_[\w-]+)/.exec(letter.text)?.[1] ?? '';
}

function byLinkToken(ask: (token: string) => Sent, says: number): Row {
  let last = '';
  const own: Ask = async (cast) => {
    last = await linkToken(cast);
    return ask(last);
  };
  /** Shown at the wrong channel it is not used up. */
  const stillGood = async ({ world }: Cast) => {
    expect((await world.send(ask(last))).status, 'at its own clinic afterwards').to.equal(says);
  };
  const none: Ask = async () => ask(randomToken('rst_'));
  return [
    { place: 'own', by: 'header', ask: named(own, NORTH), says },
    { place: 'own', by: 'host', ask: onHost(own, NORTH), says },
    { place: 'missing', by: 'token alone', ask: own, says },
    { place: 'missing', by: 'no token that is good', ask: none, says: NO_LINK_TOKEN },
    {
      place: 'other',
      by: 'header',
      ask: named(own, SOUTH),
      says: NO_LINK_TOKEN,
      like: named(none, SOUTH),
      besides: stillGood,
    },
    {
      place: 'other',
      by: 'host',
      ask: onHost(own, SOUTH),
      says: NO_LINK_TOKEN,
      like: onHost(none, SOUTH),
      besides: stillGood,
    },
    {
      place: 'conflicting',
      by: 'other header, own host',
      ask: onHost(named(own, SOUTH), NORTH),
      says: NO_LINK_TOKEN,
      like: onHost(named(none, SOUTH), NORTH),
    },
    { place: 'conflicting', by: 'own header, other host', ask: onHost(named(own, NORTH), SOUTH), says },
    ...unknownHeader(own),
  ];
}

const validation = (path: string) =>
  byLinkToken((token) => ({ method: 'GET', path: `/patient${path}?token=${token}` }), 200);

const forgot = (email: (cast: Cast) => Promise<string>) =>
  post('/patient/auth/forgot', async (cast) => ({ email: await email(cast) }));

export const rows: Readonly<Record<string, Row>> = {
  'careportals POST /patient/auth': signIn('/patient/auth'),
  'careportals POST /patient/auth/login': signIn('/patient/auth/login'),
  'careportals POST /patient/org/auth': staffSignIn('/patient/org/auth'),
  'careportals POST /org/auth': staffSignIn('/org/auth'),
  'careportals POST /patient/users': openRoute({
    own: registration(emailIn(NORTH)),
    none: registration(async () => nobody()),
    says: { status: 409, json: { message: 'Account Exists Already' } },
    refused: 201,
  }),
  'careportals GET /patient/users/account': bearer('GET'),
  'careportals PUT /patient/users/account': bearer('PUT', { profile: { firstName: 'Ada' } }),
  'careportals PATCH /patient/users/account': bearer('PATCH', { profile: { firstName: 'Ada' } }),
  'careportals POST /patient/auth/forgot': [
    ...openRoute({
      own: forgot(emailIn(NORTH)),
      none: forgot(async () => nobody()),
      says: 201,
      refused: 201,
    }),
    {
      place: 'other',
      by: 'header, for the letter',
      ask: named(
        forgot((cast) => cast.silentEmail(NORTH, 'forgetful')),
        SOUTH,
      ),
      says: 201,
    },
  ],
  'careportals GET /patient/auth/forgot/validate': validation('/auth/forgot/validate'),
  'careportals GET /patient/auth/valid-password-token': validation('/auth/valid-password-token'),
  'careportals POST /patient/auth/reset': byLinkToken(
    (token) => ({
      method: 'POST',
      path: '/patient/auth/reset',
      json: { token, password: `New-${PASSWORD}` },
    }),
    201,
  ),
};
