/** AVYCENNA's own server, written from its contract: JWTs, refresh tokens that rotate, codes by email. */
import { type LegacyRequest, type LegacyVendor, reply } from './route.ts';
import { digits, foreignJwt, hex, type Issued, type LegacyPerson, type LegacyWorld } from './world.ts';

const detail = (status: number, text: string) => reply(status, { detail: text });
const missing = (...fields: string[]) =>
  reply(422, {
    detail: fields.map((field) => ({
      loc: ['body', field],
      msg: 'field required',
      type: 'value_error.missing',
    })),
  });

const nameOf = ({ first, last }: LegacyPerson) => `${first} ${last}`.trim();

function userOf(person: LegacyPerson) {
  const { id, email, members } = person;
  return { id, email, name: nameOf(person), role: members.role };
}

function tokensOf({ access, refresh }: Issued) {
  const pair = { access_token: access.value, refresh_token: refresh?.value };
  return { ...pair, token_type: 'bearer', expires_in: 900 };
}

const signedIn = (world: LegacyWorld, person: LegacyPerson, status = 200) =>
  reply(status, { ...tokensOf(world.issue(person, avycenna.tokens)), user: userOf(person) });

function me(person: LegacyPerson) {
  const { specialty, institution, phone, created_at } = person.members;
  return { user: { ...userOf(person), created_at }, profile: { specialty, institution, phone } };
}

function verifyCode({ body }: LegacyRequest, world: LegacyWorld) {
  const person = world.byEmail('avycenna', body.email);
  const letter = world.letters.findLast(({ to, vendor }) => vendor === 'avycenna' && to === person?.email);
  if (!person || person.blocked || letter === undefined || letter.secret !== String(body.otp)) {
    return detail(401, 'Invalid or expired OTP');
  }
  world.letters.splice(world.letters.indexOf(letter), 1);
  return signedIn(world, person);
}

function register({ body }: LegacyRequest, world: LegacyWorld) {
  const { name, email, password } = body;
  if (!name || !email || !password) return missing('name', 'email', 'password');
  if (world.byEmail('avycenna', email)) return detail(409, 'Email already registered');
  const [first = '', ...rest] = String(name).split(' ');
  const names = { first, last: rest.join(' ') };
  const person = avycenna.person({
    email: String(email).toLowerCase(),
    password: String(password),
    ...names,
  });
  world.people.push(person);
  return signedIn(world, person, 201);
}

function refresh({ body }: LegacyRequest, world: LegacyWorld) {
  const used = world.live('avycenna', 'refresh', String(body.refresh_token));
  if (used === undefined) return detail(401, 'Invalid refresh token');
  world.revoke(used.value);
  return reply(200, tokensOf(world.issue(used.person, avycenna.tokens, used.family)));
}

export const avycenna: LegacyVendor = {
  name: 'avycenna',
  base: '/api/v1',
  tokens: {
    access: ({ id, members }) => foreignJwt({ user_id: id, role: members.role }),
    accessLifetime: 900,
    refresh: () => `rt_${hex(64)}`,
    refreshLifetime: 2_592_000,
  },
  person: ({ members, ...fields }) => ({
    ...{ vendor: 'avycenna', id: `usr_${hex(8)}`, first: 'Ana', last: 'Reis' },
    ...fields,
    members: {
      ...{ role: 'doctor', specialty: 'Internal Medicine', institution: 'City Medical Center', phone: null },
      ...{ created_at: '2030-01-15T09:00:00Z', ...members },
    },
  }),
  answer(request, world) {
    const { method, path, body } = request;
    const token = /^Bearer (.+)$/i.exec(request.header('authorization') ?? '')?.[1];
    const live = world.live('avycenna', 'access', token);
    switch (`${method} ${path}`) {
      case 'POST /auth/login': {
        if (!body.email || !body.password) return missing('email', 'password');
        const person = world.signIn('avycenna', body.email, body.password);
        return person ? signedIn(world, person) : detail(401, 'Incorrect email or password');
      }
      case 'POST /auth/otp/send': {
        const person = world.byEmail('avycenna', body.email);
        if (person && !person.blocked) world.send('avycenna', person.email, 'code', digits(6));
        return reply(200, { message: `OTP sent to ${String(body.email)}`, expires_in_minutes: 10 });
      }
      case 'POST /auth/otp/verify':
        return verifyCode(request, world);
      case 'POST /auth/register':
        return register(request, world);
      case 'POST /auth/refresh':
        return refresh(request, world);
      case 'POST /auth/logout':
        if (!live)
          return detail(401, token === undefined ? 'Not authenticated' : 'Could not validate credentials');
        world.revoke(String(body.refresh_token), { family: true });
        return reply(200, { message: 'Logged out' });
      case 'GET /auth/me':
        return live ? reply(200, me(live.person)) : detail(401, 'Could not validate credentials');
      default:
        return detail(404, 'Not Found');
    }
  },
};
