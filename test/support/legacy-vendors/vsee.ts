/** VSee's own server, written from its contract: opaque tokens of 32 hex, refresh tokens that are used once. */
import { type LegacyRequest, type LegacyVendor, reply } from './route.ts';
import { digits, hex, type LegacyPerson, type LegacyToken, type LegacyWorld, letters } from './world.ts';

/** The clinic's key that /users/sso takes. */
export const VSEE_KEY = 'clinic-key-of-the-legacy-system';

const failed = (code: number, message: string) => reply(code, { code, message });
const done = (data: unknown) => reply(200, { data });
const noToken = () => failed(401, 'Invalid or expired token.');

const TEXTS = {
  ...{ phone: '4085550100', subtype: '', street_addr: '1 Main St', state: 'CA', city: 'San Jose' },
  ...{ zip: '95112', pcp_name: 'Dr. Grey', pcp_phone: '4085550111' },
};
const DEFAULTS = {
  ...{ account_code: 'clinicdev', prefix: 'clinicdev', user_type: '200', nationality: 'US' },
  ...{ dob: '1990-01-01', gender: 2, photo: null, active: true, tos: true, email_verified: true },
  ...TEXTS,
};

function name(person: LegacyPerson) {
  const { first, last, email, username = email } = person;
  return { first_name: first, last_name: last, username };
}

/** The members of the person that `names` lists, in that order. */
function some({ members }: LegacyPerson, ...names: string[]) {
  return Object.fromEntries(names.map((member) => [member, members[member]]));
}

const vseeid = ({ id, members }: LegacyPerson) => ({ vseeid: `${members.prefix}+user${id}` });

function userAtLogin(person: LegacyPerson) {
  const { id, email } = person;
  return {
    ...{ id, ...some(person, 'code'), ...name(person), ...vseeid(person), ...some(person, 'dob'), email },
    ...some(person, 'gender', 'photo', 'active', 'tos', 'phone', 'subtype', 'street_addr', 'state', 'city'),
    ...some(person, 'zip', 'pcp_name', 'pcp_phone'),
  };
}

function userAtRefresh(person: LegacyPerson) {
  const { id, email, first, last, members } = person;
  const gender = members.gender === 1 ? 'Male' : members.gender === 2 ? 'Female' : '';
  return {
    ...{ id, ...some(person, 'code'), username: name(person).username, first_name: first, last_name: last },
    ...{ email, ...some(person, 'dob'), gender, ...some(person, 'photo'), name: `${first} ${last}` },
  };
}

function me(person: LegacyPerson) {
  const { id, email } = person;
  return {
    ...{ id, ...name(person), ...some(person, 'dob'), email },
    ...some(person, 'gender', 'active', 'nationality', 'tos', 'photo'),
  };
}

function fullUser(person: LegacyPerson) {
  const { id, first, last, email, members } = person;
  return {
    ...{ id, ...some(person, 'code'), first_name: first, last_name: last, full_name: `${first} ${last}` },
    ...{ username: name(person).username, ...vseeid(person), ...some(person, 'dob'), email },
    ...some(person, 'gender', 'active', 'tos'),
    ...{ status: members.active ? 20 : 10, ...some(person, 'subtype'), timezone: members.timezone ?? '' },
    ...{ ...some(person, 'email_verified'), signup_step: members.active ? 99 : 0 },
    ...(members.extra === undefined ? {} : { extra: members.extra }),
    ...{ dashboard_url_alternative: '', account_code: members.account_code, clinics: [members.account_code] },
    ...{ rooms: members.rooms ?? [], created: 1_900_000_000, type: Number(members.user_type) },
  };
}

const refreshToken = ({ person, value, issuedAt, expiresAt }: LegacyToken) => ({
  ...{ user_id: person.id, token: value, expiry: expiresAt, created: issuedAt },
});

function signedIn(world: LegacyWorld, person: LegacyPerson) {
  const { access, refresh } = world.issue(person, vsee.tokens);
  return done({
    ...{ user_id: person.id, token: access.value, expiry: access.expiresAt, created: access.issuedAt },
    ...some(person, 'user_type'),
    refresh_token: refresh && refreshToken(refresh),
    user: userAtLogin(person),
  });
}

function login({ body }: LegacyRequest, world: LegacyWorld) {
  const refused = failed(401, 'Invalid username or password.');
  if (body.username) {
    const person = world.signIn('vsee', body.username, body.password);
    return person?.members.active === true ? signedIn(world, person) : refused;
  }
  if (!body.email) return failed(400, 'username is required');
  const person = world.byEmail('vsee', body.email);
  const code = person && world.secretOf(person.email);
  if (!person || person.members.active === true || code !== String(body.email_token)) return refused;
  world.letters.splice(0, world.letters.length, ...world.letters.filter(({ secret }) => secret !== code));
  person.members.email_verified = true;
  return signedIn(world, person);
}

function refresh({ body }: LegacyRequest, world: LegacyWorld) {
  if (!body.refresh_token) return failed(400, 'refresh_token is required');
  const used = world.live('vsee', 'refresh', String(body.refresh_token));
  if (used === undefined) return noToken();
  const { person } = used;
  world.revoke(used.value);
  const { access, refresh: next } = world.issue(person, vsee.tokens, used.family);
  return done({
    ...{ user_id: person.id, ...some(person, 'user_type'), token: access.value, expiry: access.expiresAt },
    refresh_token: next && refreshToken(next),
    user: userAtRefresh(person),
  });
}

function sso(request: LegacyRequest, world: LegacyWorld) {
  const { body } = request;
  if (request.header('x-apikey') !== VSEE_KEY) return failed(401, 'Invalid API key.');
  const code = String(body.code);
  let person = world.find('vsee', ({ members }) => members.sso_code === code);
  if (person?.blocked) return failed(403, 'You are not authorized to perform this action.');
  if (person === undefined) {
    const names = { first: String(body.first_name), last: String(body.last_name) };
    const members = { sso_code: code, code, tos: false, user_type: String(body.type) };
    person = vsee.person({ email: String(body.email ?? ''), username: hex(32), ...names, members });
    world.people.push(person);
  }
  const { access, refresh: next } = world.issue(person, vsee.tokens);
  const { id } = person;
  return done({
    ...{
      id,
      ...some(person, 'code'),
      ...name(person),
      vseeid: `${person.members.prefix}+${person.username}`,
    },
    ...some(person, 'dob', 'active', 'tos', 'subtype'),
    token: {
      ...{ user_id: id, token: access.value, expiry: access.expiresAt },
      refresh_token: next && refreshToken(next),
    },
  });
}

function activate({ body }: LegacyRequest, world: LegacyWorld) {
  const person = world.byEmail('vsee', body.email);
  if (person?.members.active === false) world.send('vsee', person.email, 'activate', letters(6));
  return done(true);
}

function reset({ body }: LegacyRequest, world: LegacyWorld) {
  const person = world.byEmail('vsee', body.email);
  const secret = person?.members.active === false ? letters(6) : hex(32);
  if (person) world.send('vsee', person.email, 'reset', secret);
  return done(true);
}

function logout(request: LegacyRequest, world: LegacyWorld) {
  const named = [request.body.tokens ?? request.header('x-apitoken') ?? []].flat();
  for (const value of named) world.revoke(String(value), { family: true });
  return named.length > 0 ? done(true) : failed(400, 'tokens is required');
}

export const vsee: LegacyVendor = {
  name: 'vsee',
  base: '/api_v3',
  tokens: {
    ...{ access: () => hex(32), accessLifetime: 86_400 },
    ...{ refresh: () => hex(32), refreshLifetime: 2_592_000 },
  },
  person: ({ members, ...fields }) => ({
    ...{ vendor: 'vsee', id: `2${digits(10)}`, first: 'Pat', last: 'One' },
    ...fields,
    members: { ...DEFAULTS, code: hex(32), ...members },
  }),
  answer(request, world) {
    const path = request.path.replace(/\.json$/, '');
    const live = world.live('vsee', 'access', request.header('x-apitoken'));
    const user = /^\/users\/(-|\d+)$/.exec(path)?.[1];
    if (request.method === 'GET' && user !== undefined) {
      if (!live) return noToken();
      if (user !== '-' && user !== live.person.id) {
        return failed(403, 'You are not authorized to perform this action.');
      }
      return done(fullUser(live.person));
    }
    switch (`${request.method} ${path}`) {
      case 'POST /users/login':
        return login(request, world);
      case 'POST /tokens/refresh':
        return refresh(request, world);
      case 'POST /users/logout':
        return logout(request, world);
      case 'GET /me':
        return live ? done(me(live.person)) : noToken();
      case 'POST /users/sso':
        return sso(request, world);
      case 'POST /users/activate':
        return activate(request, world);
      case 'POST /users/reset_password':
        return reset(request, world);
      default:
        return failed(404, 'Sorry, this page is not available.');
    }
  },
};
