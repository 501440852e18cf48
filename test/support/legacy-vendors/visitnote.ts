/** VisitNote's own server, written from its contract. Its tokens are Sanctum's: `17|` and forty characters. */
import { randomUUID } from 'node:crypto';
import { type LegacyRequest, type LegacyVendor, reply } from './route.ts';
import { hex, type LegacyPerson, type LegacyWorld } from './world.ts';

let serial = 16;

const PROFILE = {
  discipline: 'PT',
  license_number: 'L-1',
  license_state: 'CA',
  organization_uuid: null,
  subscription_status: 'active',
  trial_ends_at: null,
  needs_onboarding: false,
};

const failed = (status: number, message: string, more: object = {}) =>
  reply(status, { status: false, message, ...more });
const done = (data: unknown, more: object = {}) => reply(200, { status: true, data, ...more });
const noToken = () => failed(401, 'Invalid or expired token');
const missing = (...fields: string[]) =>
  failed(422, 'The given data was invalid.', {
    errors: Object.fromEntries(
      fields.map((field) => [field, [`The ${field.replaceAll('_', ' ')} field is required.`]]),
    ),
  });

function loginData({ id, first, last, email, members }: LegacyPerson) {
  const { subscription_status } = members;
  return { uuid: id, first_name: first, last_name: last, email, subscription_status };
}

function profileOf(person: LegacyPerson) {
  const { discipline, license_number, license_state, organization_uuid, trial_ends_at, needs_onboarding } =
    person.members;
  const own = { discipline, license_number, license_state, organization_uuid, trial_ends_at };
  return { ...loginData(person), ...own, needs_onboarding };
}

function signedIn(world: LegacyWorld, person: LegacyPerson) {
  const { trial_ends_at, needs_onboarding } = person.members;
  const { access } = world.issue(person, visitnote.tokens);
  return done({ token: access.value, loginData: loginData(person), trial_ends_at, needs_onboarding });
}

/** The subject of an ID token; what it is worth Google has judged. */
function identityOf({ provider, id_token }: LegacyRequest['body']): string {
  const [, payload = ''] = String(id_token).split('.');
  const claims: { sub?: unknown } = JSON.parse(Buffer.from(payload, 'base64url').toString() || '{}');
  return `${String(provider)}:${String(claims.sub)}`;
}

function register({ body }: LegacyRequest, world: LegacyWorld) {
  const { email, password, first_name, last_name } = body;
  if (world.byEmail('visitnote', email) !== undefined) {
    const errors = { email: ['Email already taken'] };
    return failed(422, 'The given data was invalid.', { errors });
  }
  const person = visitnote.person({
    ...{
      email: String(email),
      password: String(password),
      first: String(first_name),
      last: String(last_name),
    },
    members: { ...PROFILE, discipline: null, needs_onboarding: true, subscription_status: 'trialing' },
  });
  world.people.push(person);
  return signedIn(world, person);
}

export const visitnote: LegacyVendor = {
  name: 'visitnote',
  base: '/api/therapist/v1',
  tokens: {
    access: () => `${++serial}|${hex(40)}`,
    accessLifetime: 86_400,
  },
  person: ({ members, ...fields }) => ({
    ...{ vendor: 'visitnote', id: randomUUID(), first: 'Mara', last: 'Ito' },
    ...fields,
    members: { ...PROFILE, ...members },
  }),
  answer(request, world) {
    const { method, path, body } = request;
    const token = /^Bearer (.+)$/i.exec(request.header('authorization') ?? '')?.[1];
    const live = world.live('visitnote', 'access', token);
    switch (`${method} ${path}`) {
      case 'POST /sign-in': {
        if (!body.email || !body.password) return missing('email', 'password');
        const person = world.signIn('visitnote', body.email, body.password);
        return person ? signedIn(world, person) : failed(401, 'Invalid credentials');
      }
      case 'POST /sign-in/social': {
        const identity = identityOf(body);
        const person = world.find('visitnote', (one) => one.identity === identity && !one.blocked);
        return person ? signedIn(world, person) : failed(404, 'Account not found');
      }
      case 'POST /register':
        return register(request, world);
      case 'GET /my-profile':
        return live ? done(profileOf(live.person)) : noToken();
      case 'POST /logout':
        if (!live) return noToken();
        world.revoke(live.value, { family: true });
        return done(null, { message: 'Logged out successfully' });
      default:
        return failed(404, 'Not found');
    }
  },
};
