/** How replies of a vendor's own server are read: replies as the contracts print them, and such as no vendor sends. */
import { expect } from 'chai';
import { example } from '../../src/dialects/_example/example.ts';
import type { Json } from '../../src/dialects/contract/dialect.ts';
import { type Answer, joined, type LegacyReply } from '../../src/dialects/contract/legacy-api.ts';
import { loadAllDialects } from '../../src/dialects/registry.ts';
import { visitnote } from '../../src/dialects/visitnote/visitnote.ts';

const replied = (status: number, json: unknown, headers: Record<string, string> = {}): LegacyReply => ({
  status,
  json,
  header: (name) => headers[name],
});

const mara = {
  uuid: '5f0c7a52-6f0e-4f0b-9d2c-0c2f5b7f1a01',
  first_name: 'Mara',
  last_name: 'Ito',
  email: 'mara@clinic.test',
  subscription_status: 'active',
};
const course = { trial_ends_at: null, needs_onboarding: false };
const signedIn = (data: object) => ({
  status: true,
  data: { token: 'h.p.s', loginData: mara, ...course, ...data },
});
const profile = {
  ...{ name: 'Dr. Ngozi Okafor', email: 'n.okafor@ward.test', firstName: 'Ngozi', lastName: 'Okafor' },
  ...{ title: 'Dr.', specialty: 'Neurology', ehr_system_type: 'Cerner', ehr_system_name: 'North Ward' },
  ...{ isVerified: true, subscriptionActive: true, subscriptionExpiry: '2031-12-31T23:59:59.000Z' },
  ...{ createdAt: '2030-01-01T10:00:00.000Z', updatedAt: '2030-01-15T14:30:00.000Z' },
};
const line = {
  ...{ province: '', provinceCode: '', address1: '', address2: '' },
  city: '',
  countryCode: '',
  postalCode: '',
};
const lea = {
  ...{ dob: '1991-05-04', firstName: 'Lea', lastName: 'Moss' },
  email: 'lea@x.test',
  phone: '+15555550142',
  gender: 'female',
};
const account = (first: object = {}) => ({
  ...{ profile: lea, address: { default: { ...line, ...first }, other: [] } },
  ...{ prescriptions: [{ drug: 'x' }], consultations: [], appointments: [] },
});
const ana = { id: 'usr_Ab3dE5gH', email: 'dr@clinic.test', name: 'Dr. Ana Reis', role: 'doctor' };
const pair = { access_token: 'h.p.s', refresh_token: 'rt_0f3c', token_type: 'bearer', expires_in: 900 };
const lists = (...fields: string[]) => ({
  status: false,
  message: 'The given data was invalid.',
  errors: Object.fromEntries(fields.map((field) => [field, ['Email already taken']])),
});

/** As the contracts print them, and one step beside: vendor, question, reply, what is made of it, what was asked. */
const REPLIES: readonly (readonly [string, string, number, unknown, unknown, object?])[] = [
  ['visitnote', 'signIn', 200, signedIn({}), 'yes'],
  ['visitnote', 'signIn', 200, signedIn({ newer: { member: [1] } }), 'yes'],
  ['visitnote', 'signIn', 200, { status: true, data: { token: 'h.p.s', loginData: mara } }, 'yes'],
  ['visitnote', 'signIn', 200, signedIn({ token: 17 }), 'odd'],
  ['visitnote', 'signIn', 200, { ...signedIn({}), status: false }, 'odd'],
  ['visitnote', 'signIn', 200, signedIn({ loginData: { ...mara, uuid: null } }), 'odd'],
  ['visitnote', 'signIn', 200, signedIn({ loginData: { ...mara, first_name: 'x'.repeat(20_000) } }), 'odd'],
  ['visitnote', 'signIn', 200, signedIn({ loginData: { ...mara, first_name: 'a\0b' } }), 'odd'],
  ['visitnote', 'signIn', 401, { status: false, message: 'Invalid credentials' }, 'no'],
  ['visitnote', 'signIn', 401, { message: 'Forbidden by the gateway' }, 'odd'],
  ['visitnote', 'signIn', 422, lists('email'), 'no'],
  ['visitnote', 'signIn', 403, { status: false, message: 'Forbidden' }, 'odd'],
  ['visitnote', 'signIn', 404, { status: false, message: 'Not found' }, 'odd'],
  ['visitnote', 'person', 200, { status: true, data: mara }, 'yes'],
  ['visitnote', 'person', 403, { status: false, message: 'Forbidden' }, 'no'],
  ['visitnote', 'social', 404, { status: false, message: 'Account not found' }, 'no'],
  ['visitnote', 'register', 422, lists('email', 'password'), 'no'],
  ['visitnote', 'register', 422, lists('password'), 'odd'],
  [
    'medisync',
    'signIn',
    200,
    { success: true, token: 'h.p.s', uid: 'user_900001', userTitle: 'Dr.', firstName: 'N', lastName: 'O' },
    'yes',
  ],
  [
    'medisync',
    'signIn',
    401,
    { success: false, error: 'Invalid email or password', code: 'INVALID_CREDENTIALS' },
    'no',
  ],
  ['medisync', 'signIn', 401, { error: 'Unauthorized' }, 'odd'],
  ['medisync', 'signIn', 401, { success: false, error: 'Key required', code: 'AUTH_REQUIRED' }, 'odd'],
  ['medisync', 'signIn', 400, { success: false, error: 'Bad email', code: 'VALIDATION_ERROR' }, 'no'],
  [
    'medisync',
    'person',
    401,
    { success: false, error: 'Authentication required', code: 'AUTH_REQUIRED' },
    'no',
  ],
  ['medisync', 'person', 401, { success: false, error: 'Key required', code: 'NO_KEY' }, 'odd'],
  ['medisync', 'person', 200, { success: true, data: profile }, 'odd'],
  ['medisync', 'person', 200, { success: true, data: profile }, 'odd', { claims: { userId: 17 } }],
  ['medisync', 'person', 200, { success: true, data: profile }, 'yes', { claims: { userId: 'user_900001' } }],
  ['medisync', 'person', 200, { success: true, data: profile }, 'yes', { vendorId: 'user_900001' }],
  [
    'medisync',
    'person',
    200,
    { success: true, data: { ...profile, isVerified: 'true' } },
    'odd',
    { vendorId: 'a' },
  ],
  ['medisync', 'person', 403, { success: false, error: 'Access denied', code: 'FORBIDDEN' }, 'odd'],
  ['careportals', 'signIn', 201, { token: 'h.p.s' }, 'yes'],
  ['careportals', 'signIn', 200, { token: 'h.p.s' }, 'yes'],
  ['careportals', 'signIn', 401, { message: 'Unauthorized' }, 'no'],
  ['careportals', 'signIn', 406, { message: 'Failed to login' }, 'no'],
  ['careportals', 'signIn', 400, { message: 'Organization not found' }, 'odd'],
  ['careportals', 'person', 200, account(), 'yes'],
  ['careportals', 'person', 200, { ...account(), address: undefined }, 'odd'],
  ['careportals', 'reset', 201, true, 'yes'],
  ['careportals', 'reset', 201, { ok: true }, 'odd'],
  ['avycenna', 'signIn', 200, { ...pair, user: ana }, 'yes'],
  ['avycenna', 'signIn', 200, pair, 'odd'],
  ['avycenna', 'signIn', 200, { ...pair, token_type: 'mac', user: ana }, 'odd'],
  ['avycenna', 'signIn', 401, { detail: 'Incorrect email or password' }, 'no'],
  [
    'avycenna',
    'signIn',
    422,
    { detail: [{ loc: ['body', 'email'], msg: 'bad', type: 'value_error.email' }] },
    'no',
  ],
  [
    'avycenna',
    'register',
    422,
    { detail: [{ loc: ['body', 'email'], msg: 'bad', type: 'value_error.email' }] },
    'odd',
  ],
  ['avycenna', 'register', 409, { detail: 'Email already registered' }, 'no'],
  ['avycenna', 'refresh', 200, pair, 'yes'],
  ['vsee', 'signIn', 401, { code: 401, message: 'Invalid username or password.' }, 'no'],
  ['vsee', 'signIn', 401, { code: 401, message: 'Invalid account code.' }, 'odd'],
  ['vsee', 'refresh', 401, { code: 401, message: 'Invalid account code.' }, 'odd'],
  ['vsee', 'signIn', 400, { code: 400, message: 'Invalid username' }, 'no'],
  ['vsee', 'person', 401, { code: 401, message: 'Invalid or expired token.' }, 'no'],
  ['vsee', 'person', 404, { code: 404, message: 'Sorry, this page is not available.' }, 'odd'],
  ['vsee', 'details', 403, { code: 403, message: 'You are not authorized to perform this action.' }, 'odd'],
  [
    'vsee',
    'singleSignOn',
    403,
    { code: 403, message: 'You are not authorized to perform this action.' },
    'no',
  ],
];

/** What every question of every dialect makes of a reply that answers nothing. */
const NO_ANSWER: readonly (readonly [string, LegacyReply, 'later' | 'odd'])[] = [
  ['429', replied(429, { message: 'Too many' }, { 'retry-after': '37' }), 'later'],
  ['503', replied(503, undefined), 'later'],
  ['500', replied(500, { status: false, message: 'Server error' }), 'odd'],
  ['a redirect', replied(302, undefined, { location: 'http://other.test/' }), 'odd'],
  ['nothing', replied(204, undefined), 'odd'],
  ['a 200 that is no JSON', replied(200, undefined), 'odd'],
  ['null', replied(200, null), 'odd'],
  ['a list', replied(200, [mara]), 'odd'],
  ['another 200', replied(200, { ok: true }), 'odd'],
  ['a 401 of a gateway', replied(401, undefined), 'odd'],
  ['a 404 of a gateway', replied(404, '<html>'), 'odd'],
];

function kindOf(answer: Answer): string {
  return answer === 'no' ? 'no' : (Object.keys(answer)[0] ?? '');
}

describe('replies of a legacy system', () => {
  it('M6 are odd or later where they are no answer, at every question of every dialect', async () => {
    for (const { name, legacy } of [example, ...(await loadAllDialects())]) {
      const questions = Object.entries(legacy ?? {}).filter(([, question]) => 'read' in question);
      expect(questions.length, name).to.be.greaterThan(2);
      for (const [asked, question] of questions)
        for (const [what, reply, kind] of NO_ANSWER)
          expect(kindOf(question.read(reply, {})), `${name} ${asked}: ${what}`).to.equal(kind);
    }
  });

  it('M6 are read as the contracts mean them', async () => {
    const dialects = await loadAllDialects();
    for (const [vendor, asked, status, json, kind, more = {}] of REPLIES) {
      const legacy = dialects.find(({ name }) => name === vendor)?.legacy;
      const question = Object.entries(legacy ?? {}).find(([name]) => name === asked)?.[1];
      const answer = question.read(replied(status, json), { body: {}, ...more });
      const reply = `${vendor} ${asked} ${status} ${JSON.stringify(json)}`;
      expect(kindOf(answer), reply).to.equal(kind);
      // An odd answer repeats nothing of the reply.
      if (kind === 'odd')
        expect(answer.odd, reply)
          .to.match(/^[\w /.-]{5,80}$/)
          .and.not.to.include('gateway');
    }
  });

  it('M35 MediSync’s id is the token’s where the profile shows none', async () => {
    const { legacy } = (await loadAllDialects()).find(({ name }) => name === 'medisync') ?? visitnote;
    const answer = legacy?.person.read(replied(200, { success: true, data: profile }), {
      ...{ token: 'h.p.s', claims: { userId: 'user_900001' } },
    });
    expect(answer).to.have.nested.property('yes.vendorId', 'user_900001');
    expect(answer).to.have.nested.property('yes.addressVerified', true);
  });

  it('M35 CarePortals’ role is the token’s, and a patient’s where the token names none', async () => {
    const { legacy } = (await loadAllDialects()).find(({ name }) => name === 'careportals') ?? visitnote;
    const roleBy = (claims?: Record<string, Json>) => {
      const asked = { token: 'h.p.s', ...(claims && { claims }) };
      const answer = legacy?.person.read(replied(200, account()), asked);
      return typeof answer === 'object' && 'yes' in answer ? answer.yes.account.vendor?.role : answer;
    };
    expect([roleBy(), roleBy({ roles: ['nurse', 'patient'] }), roleBy({ roles: [] })]).to.deep.equal([
      'patient',
      'nurse',
      undefined,
    ]);
  });

  it('M6 say when to come again', () => {
    const read = visitnote.legacy?.signIn?.read;
    const asked = { login: '', password: '' };
    expect(read?.(replied(429, {}, { 'retry-after': '37' }), asked)).to.deep.equal({ later: 37 });
    expect(read?.(replied(503, {}, { 'retry-after': 'soon' }), asked)).to.deep.equal({ later: undefined });
  });

  it('lay a later answer over an earlier one', () => {
    const first = {
      vendorId: 'a',
      account: { email: 'a@x.test', claims: { name: 'A' }, vendor: { x: 1, y: 1 } },
    };
    const then = { account: { claims: { gender: 'male' }, vendor: { y: 2 } }, addressVerified: true };
    expect(joined(first, then)).to.deep.equal({
      vendorId: 'a',
      account: { email: 'a@x.test', claims: { name: 'A', gender: 'male' }, vendor: { x: 1, y: 2 } },
      addressVerified: true,
    });
  });
});
