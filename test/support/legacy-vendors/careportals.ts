/** CarePortals' own server, written from its contract. It shows no id of a person after the registration. */
import { type LegacyRequest, type LegacyVendor, reply } from './route.ts';
import { foreignJwt, hex, type LegacyPerson, type LegacyWorld } from './world.ts';

const failed = (status: number, message: string) => reply(status, { message });

const ADDRESS = {
  ...{
    province: '',
    provinceCode: '',
    address1: '',
    address2: '',
    city: '',
    countryCode: '',
    postalCode: '',
  },
};

/** `members.organization`: whose person it is. */
const unameOf = ({ email, members }: LegacyPerson) => `${email}#${String(members.organization)}`;

function accountOf({ first, last, email, members }: LegacyPerson) {
  const { dob, phone, gender, address, addresses } = members;
  return {
    profile: { dob, firstName: first, lastName: last, email, phone, gender },
    address: { default: { ...ADDRESS, ...Object(address) }, other: addresses },
    ...{ prescriptions: [], consultations: [], appointments: [] },
  };
}

function named(request: LegacyRequest, world: LegacyWorld): LegacyPerson | undefined {
  const organization = request.header('organization');
  const login = String(request.body.username ?? request.body.email)
    .trim()
    .toLowerCase();
  return world.find(
    'careportals',
    (person) =>
      person.members.organization === organization && [person.email, unameOf(person)].includes(login),
  );
}

function login(request: LegacyRequest, world: LegacyWorld) {
  const person = named(request, world);
  const { password } = request.body;
  const isRight = person?.password !== undefined && person.password === password && !person.blocked;
  if (!person || !isRight) return failed(401, 'Unauthorized');
  return reply(201, { token: world.issue(person, careportals.tokens).access.value });
}

function register(request: LegacyRequest, world: LegacyWorld) {
  if (named(request, world)) return failed(409, 'Account Exists Already');
  const { email, password, firstName, lastName, gender, phone, dob, provinceCode = '' } = request.body;
  if (!email || !firstName || !lastName || !dob) return failed(406, 'Failed to create account');
  const organization = request.header('organization');
  const address = { province: provinceCode, provinceCode };
  const person = careportals.person({
    ...{ email: String(email).toLowerCase(), first: String(firstName), last: String(lastName) },
    ...(password !== undefined && { password: String(password) }),
    members: { organization, gender, phone, dob, address },
  });
  world.people.push(person);
  return reply(201, {
    ...{ _id: person.id, organization, uname: unameOf(person), email: person.email, phone },
    ...{ firstName, lastName, gender, dob, roles: ['patient'], addresses: [] },
    defaultAddress: { ...ADDRESS, ...address },
  });
}

/** Whose link it is. */
function linked(token: unknown, world: LegacyWorld) {
  const letter = world.letters.find(({ vendor, secret }) => vendor === 'careportals' && secret === token);
  return letter && world.byEmail('careportals', letter.to);
}

/** Its own rule for passwords: nine characters. */
function reset({ body }: LegacyRequest, world: LegacyWorld) {
  const person = linked(body.token, world);
  if (person === undefined) return failed(401, 'Invalid token');
  if (String(body.password).length < 9) return failed(406, 'Failed to reset password');
  world.letters.splice(
    0,
    world.letters.length,
    ...world.letters.filter(({ secret }) => secret !== body.token),
  );
  person.password = String(body.password);
  return reply(201, true);
}

export const careportals: LegacyVendor = {
  name: 'careportals',
  base: '/patient',
  tokens: {
    access: (person) => {
      const { organization, roles } = person.members;
      return foreignJwt({ organization, roles, uname: unameOf(person) });
    },
    accessLifetime: 2_592_000,
  },
  person: ({ members, ...fields }) => ({
    ...{ vendor: 'careportals', id: hex(24), first: 'Lea', last: 'Moss' },
    ...fields,
    members: {
      ...{ organization: 'north_clinic', roles: ['patient'], dob: '1991-05-04', phone: '+15555550142' },
      ...{ gender: 'female', address: {}, addresses: [], ...members },
    },
  }),
  answer(request, world) {
    const token = /^Bearer (.+)$/i.exec(request.header('authorization') ?? '')?.[1];
    const live = world.live('careportals', 'access', token);
    const organization = request.header('organization');
    switch (`${request.method} ${request.path}`) {
      case 'POST /auth':
      case 'POST /auth/login':
        return organization === undefined ? failed(400, 'Organization not found') : login(request, world);
      case 'POST /users':
        return organization === undefined ? failed(400, 'Organization not found') : register(request, world);
      case 'GET /users/account':
        if (!live) return failed(401, 'Unauthorized');
        if (organization !== undefined && organization !== live.person.members.organization) {
          return failed(403, 'Forbidden');
        }
        return reply(200, accountOf(live.person));
      case 'POST /auth/forgot': {
        const person = named(request, world);
        if (person) world.send('careportals', person.email, 'reset', `rst_${hex(42)}`);
        return reply(201, true);
      }
      case 'GET /auth/forgot/validate':
      case 'GET /auth/valid-password-token':
        return linked(request.query.get('token'), world) ? reply(200, true) : failed(401, 'Invalid token');
      case 'POST /auth/reset':
        return reset(request, world);
      default:
        return failed(404, `Cannot ${request.method} /patient${request.path}`);
    }
  },
};
