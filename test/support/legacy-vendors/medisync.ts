/** MediSync's own server, written from its contract. Its profile shows no id: its token does. */
import { type LegacyRequest, type LegacyVendor, reply } from './route.ts';
import { digits, foreignJwt, type LegacyPerson, type LegacyWorld } from './world.ts';

const failed = (status: number, code: string, error: string) =>
  reply(status, { success: false, error, code });

const DEFAULTS = {
  ...{ title: 'Dr.', specialty: 'Neurology', ehr_system_type: 'Cerner', ehr_system_name: 'North Ward' },
  ...{ isVerified: true, subscriptionActive: true, subscriptionExpiry: '2031-12-31T23:59:59.000Z' },
  ...{ createdAt: '2030-01-01T10:00:00.000Z', updatedAt: '2030-01-15T14:30:00.000Z' },
};

function profileOf({ first, last, email, members }: LegacyPerson) {
  const { title, specialty, ehr_system_type, ehr_system_name, isVerified } = members;
  const { subscriptionActive, subscriptionExpiry, createdAt, updatedAt } = members;
  return {
    ...{ name: [title, first, last].filter(Boolean).join(' '), email, firstName: first, lastName: last },
    ...{ title, specialty, ehr_system_type, ehr_system_name, isVerified },
    ...{ subscriptionActive, subscriptionExpiry, createdAt, updatedAt },
  };
}

function login({ body }: LegacyRequest, world: LegacyWorld) {
  if (!body.email) return failed(400, 'VALIDATION_ERROR', 'email is required');
  if (!body.password) return failed(400, 'VALIDATION_ERROR', 'password is required');
  const person = world.signIn('medisync', body.email, body.password);
  if (person === undefined) return failed(401, 'INVALID_CREDENTIALS', 'Invalid email or password');
  const { access } = world.issue(person, medisync.tokens);
  const { id: uid, first, last, members } = person;
  const names = { userTitle: members.title, firstName: first, lastName: last };
  return reply(200, { success: true, token: access.value, uid, ...names });
}

function register({ body }: LegacyRequest, world: LegacyWorld) {
  if (world.byEmail('medisync', body.email)) return failed(409, 'EMAIL_EXISTS', 'Email already registered');
  const { title, specialty, ehr_system_type, ehr_system_name } = body;
  const person = medisync.person({
    ...{ email: String(body.email).toLowerCase(), password: String(body.password) },
    ...{ first: String(body.firstName), last: String(body.lastName) },
    members: {
      title,
      specialty,
      ehr_system_type,
      ehr_system_name,
      isVerified: false,
      subscriptionActive: false,
    },
  });
  world.people.push(person);
  return reply(201, {
    ...{ success: true, message: 'User registered successfully. Please verify your email.' },
    user: { id: person.id, email: person.email, isVerified: false },
  });
}

/** A link is good once. */
function verify({ body }: LegacyRequest, world: LegacyWorld) {
  const index = world.letters.findIndex(
    ({ vendor, secret }) => vendor === 'medisync' && secret === body.token,
  );
  const [letter] = index === -1 ? [] : world.letters.splice(index, 1);
  const person = letter && world.byEmail('medisync', letter.to);
  if (person === undefined)
    return failed(400, 'INVALID_VERIFICATION_TOKEN', 'Invalid or expired verification link');
  person.members.isVerified = true;
  return reply(200, { success: true, message: 'Email verified successfully' });
}

export const medisync: LegacyVendor = {
  name: 'medisync',
  base: '/api',
  tokens: { access: ({ id }) => foreignJwt({ userId: id }), accessLifetime: 86_400 },
  person: ({ members, ...fields }) => ({
    ...{ vendor: 'medisync', id: `user_${digits(12)}`, first: 'Ngozi', last: 'Okafor' },
    ...fields,
    members: { ...DEFAULTS, ...members },
  }),
  answer(request, world) {
    const token = /^Bearer (.+)$/i.exec(request.header('authorization') ?? '')?.[1];
    const live = world.live('medisync', 'access', token);
    const uid = request.query.get('uid');
    const unknown = () => failed(401, 'AUTH_REQUIRED', 'Authentication required');
    switch (`${request.method} ${request.path}`) {
      case 'POST /login':
        return login(request, world);
      case 'POST /register':
        return register(request, world);
      case 'POST /verification/verify':
        return verify(request, world);
      case 'GET /user/profile':
        if (!live) return unknown();
        if (uid && uid !== live.person.id) return failed(403, 'FORBIDDEN', 'Access denied');
        return reply(200, { success: true, data: profileOf(live.person) });
      default:
        return failed(404, 'NOT_FOUND', 'Not found');
    }
  },
};
