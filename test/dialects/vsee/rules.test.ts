import { expect } from 'chai';
import type { OrganizationView } from '../../../src/dialects/contract/dialect.ts';
import type { AccountView } from '../../../src/dialects/contract/endpoint.ts';
import { repairForm } from '../../../src/dialects/vsee/repair-form.ts';
import { changedMeReply, meReply, userReply, vseeidOf } from '../../../src/dialects/vsee/serializers.ts';
import { settings } from '../../../src/dialects/vsee/settings.ts';
import { isOnTheRoster } from '../../../src/dialects/vsee/sign-in/eligibility.ts';
import { address } from '../../../src/dialects/vsee/users/address.ts';
import { filterOf, inOrder, rowOf } from '../../../src/dialects/vsee/users/list-users.ts';
import { TIME_ZONES } from '../../../src/dialects/vsee/users/time-zones.ts';

const clinic: OrganizationView = { id: 'clinicdev', name: 'Clinic', vendor: { vseeid_prefix: 'dev' } };

function person(more: Partial<AccountView> = {}): AccountView {
  return {
    id: 'a1',
    organization: 'clinicdev',
    status: 'active',
    emailVerified: false,
    hasPassword: false,
    hasFactor: false,
    claims: {},
    roles: [],
    alias: '20000000001',
    vendor: { code: '0'.repeat(32) },
    createdAt: new Date('2030-01-01T00:00:00.999Z'),
    updatedAt: new Date('2030-01-01T00:00:00.999Z'),
    ...more,
  };
}

describe("VSee's users", () => {
  it('an account that knows nothing of VSee is a member without gaps', () => {
    expect(userReply(person(), clinic).data).to.deep.equal({
      id: '20000000001',
      code: '0'.repeat(32),
      first_name: '',
      last_name: '',
      full_name: '',
      username: '',
      vseeid: 'dev+user20000000001',
      dob: null,
      email: '',
      gender: 0,
      active: true,
      tos: false,
      status: 20,
      subtype: '',
      timezone: '',
      email_verified: false,
      signup_step: 99,
      extra: undefined,
      dashboard_url_alternative: '',
      account_code: 'clinicdev',
      clinics: ['clinicdev'],
      rooms: [],
      created: 1893456000,
      type: 200,
    });
  });

  it('the extended profile has eleven members whatever is stored of it', () => {
    const { extra } = userReply(
      person({ vendor: { extra: { race: 'x', attachments: 'y', more: 1 } } }),
      clinic,
    ).data;
    expect(extra).to.deep.equal({
      marital_status: '',
      gender_identity: '',
      social_security_no: '',
      veteran: '',
      race: 'x',
      ethnicity: '',
      health_insurance: '',
      insurance: '',
      insurance_policy_number: '',
      attachments: null,
      emerg_contact_name: '',
    });
  });

  it('the name in the vseeid is the generated username, or the id', () => {
    const generated = 'ab'.repeat(16);
    expect(vseeidOf(person({ username: generated }), clinic)).to.equal(`dev+${generated}`);
    expect(vseeidOf(person({ username: 'pat' }), clinic)).to.equal('dev+user20000000001');
    const plain = { ...clinic, vendor: undefined };
    expect(vseeidOf(person(), plain)).to.equal('clinicdev+user20000000001');
  });

  it('a name in one piece is the full name when there are no two', () => {
    expect(rowOf(person({ claims: { name: 'Dr. Ana Reis' } }), clinic).full_name).to.equal('Dr. Ana Reis');
    expect(rowOf(person({ claims: { name: 'x', given_name: 'Ana' } }), clinic).full_name).to.equal('Ana');
  });

  it('the photo size joins the query of the picture, and a missing photo is null or absent', () => {
    const withPhoto = person({ claims: { picture: 'https://p.test/a.png?v=1' } });
    expect(meReply(withPhoto, clinic, '320x240').data.photo).to.equal(
      'https://p.test/a.png?v=1&size=320x240',
    );
    expect(meReply(withPhoto, clinic, undefined).data.photo).to.equal('https://p.test/a.png?v=1');
    expect(meReply(person(), clinic, '1x1').data.photo).to.equal(null);
    expect(changedMeReply(person(), clinic).data.photo).to.equal(undefined);
  });

  it('the address of somebody else is only shown', () => {
    const account = person({ vendor: { contact_email: 'pat@x.test' } });
    expect(rowOf(account, clinic).email).to.equal('pat@x.test');
  });
});

describe("VSee's directory", () => {
  const ann = person({
    alias: '9',
    email: 'ann%1@x.test',
    claims: { given_name: 'Ann', family_name: 'Zoé' },
  });
  const bob = person({
    alias: '10',
    status: 'blocked',
    roles: ['nurse'],
    claims: { given_name: 'bob', family_name: 'Abe' },
    vendor: {
      type: 150,
      subtype: '482',
      group: 'g',
      is_hidden: true,
      rooms: [{ code: 'r', default: true, slug: 's' }],
    },
    lastSignInAt: new Date(5000),
  });
  const find = (query: Parameters<typeof filterOf>[0]) => [ann, bob].filter(filterOf(query, clinic));

  it('every filter narrows, and all must hold', () => {
    expect(find({})).to.have.length(2);
    expect(find({ id: ['10'] })).to.deep.equal([bob]);
    expect(find({ status: ['20'] })).to.deep.equal([ann]);
    expect(find({ status: ['10', '30'] })).to.deep.equal([bob]);
    expect(find({ type: ['150'] })).to.deep.equal([bob]);
    expect(find({ full_name: 'ZOE\u0301 an' })).to.deep.equal([ann]);
    expect(find({ full_name: 'ann bob' })).to.deep.equal([]);
    expect(find({ q: 'N%1' })).to.deep.equal([ann]);
    expect(find({ q: '___' })).to.deep.equal([]);
    expect(find({ email: 'X.TEST' })).to.deep.equal([ann]);
    expect(find({ subtype: ['482'] })).to.deep.equal([bob]);
    expect(find({ role: ['nurse', 'x'] })).to.deep.equal([bob]);
    expect(find({ is_admin: true })).to.deep.equal([bob]);
    expect(find({ is_admin: false })).to.deep.equal([ann]);
    expect(find({ is_hidden: false })).to.deep.equal([ann]);
    expect(find({ room_code: 'r' })).to.deep.equal([bob]);
    expect(find({ group: 'g' })).to.deep.equal([bob]);
    expect(find({ account_code: 'clinicdev' })).to.have.length(2);
    expect(find({ account_code: 'other' })).to.deep.equal([]);
    expect(find({ ex_filter: 'all' })).to.have.length(2);
    expect(find({ ex_filter: 'my-patient' })).to.deep.equal([]);
    expect(find({ id: ['10'], status: ['20'] })).to.deep.equal([]);
  });

  it('ids are ordered as numbers, names without case, and ties by id', () => {
    const sorted = (by: Parameters<typeof inOrder>[1]['by'], descending = false) =>
      inOrder([bob, ann], { by, descending }, clinic).map(({ alias }) => alias);
    expect(sorted('id')).to.deep.equal(['9', '10']);
    expect(sorted('id', true)).to.deep.equal(['10', '9']);
    expect(sorted('first_name')).to.deep.equal(['9', '10']);
    expect(sorted('last_name')).to.deep.equal(['10', '9']);
    expect(sorted('last_login', true)).to.deep.equal(['10', '9']);
    expect(sorted('username')).to.deep.equal(['10', '9']);
    const twins = [person({ alias: '12' }), person({ alias: '11' })];
    expect(inOrder(twins, { by: 'type', descending: true }, clinic).map(({ alias }) => alias)).to.deep.equal([
      '11',
      '12',
    ]);
  });

  it('a row has what was asked for, the id always, and the default when nothing asked for is known', () => {
    expect(rowOf(bob, clinic, ['last_login', 'type', 'password'])).to.deep.equal({
      id: '10',
      last_login: 5,
      type: 150,
    });
    expect(rowOf(ann, clinic, ['last_login'])).to.deep.equal({ id: '9', last_login: null });
    expect(rowOf(ann, clinic, ['id'])).to.deep.equal({ id: '9' });
    expect(rowOf(ann, clinic, ['password', 'email'])).to.have.all.keys('email', 'id', 'full_name');
  });
});

describe("VSee's other rules", () => {
  it('a roster row fits when every member it has is the request’s', () => {
    const request = {
      first_name: 'ella',
      last_name: 'ROSTER',
      dob: '1988-10-02',
      ssn: '1234',
      email: 'e@x.test',
    };
    const row = { first_name: 'Ella', last_name: 'Roster', dob: '1988-10-02', ssn: '1234' };
    expect(isOnTheRoster(request, undefined)).to.equal(true);
    expect(isOnTheRoster(request, [row])).to.equal(true);
    expect(isOnTheRoster(request, [{ email: 'E@X.TEST' }])).to.equal(true);
    for (const roster of [[], [{ ...row, ssn: '1235' }], [{ ...row, city: 'x' }], [{}], {}, 'x', [null]]) {
      expect(isOnTheRoster(request, roster), JSON.stringify(roster)).to.equal(false);
    }
    expect(isOnTheRoster({ ...request, ssn: undefined }, [row])).to.equal(false);
  });

  it('documented slips of forms are repaired, and nothing else is', () => {
    const hex = 'c5a3b1f9e7d5c3a9f2e4d7b1c6a8e0f5';
    for (const slip of [`refresh_token: ${hex}`, `refresh_token:${hex}`, ` refresh_token : ${hex} `]) {
      expect(repairForm({ [slip]: '' }, 'form')).to.deep.equal({ refresh_token: hex });
    }
    for (const other of [
      { [`refresh_token: ${hex}`]: 'x' },
      { [`refresh_token: ${hex}`]: '', a: '' },
      { 'refresh_token: rt': '' },
    ]) {
      expect(repairForm(other, 'form')).to.not.have.property('refresh_token');
    }
    expect(repairForm({ email: ' an 1@x.test ' }, 'form')).to.deep.equal({ email: 'an+1@x.test' });
    expect(repairForm({ username: 'an 1@x.test' }, 'form')).to.deep.equal({ username: 'an+1@x.test' });
    expect(repairForm({ username: 'an one' }, 'form')).to.deep.equal({ username: 'an one' });
    expect(repairForm({ email: 'an 1@x.test' }, 'multipart')).to.deep.equal({ email: 'an 1@x.test' });
    expect(repairForm({ email: 'an@x.test\t' }, 'form')).to.deep.equal({ email: 'an@x.test\t' });
    expect(repairForm({ email: ['a b@x.test'] }, 'form')).to.deep.equal({ email: ['a b@x.test'] });
  });

  it('an address changes part by part', () => {
    const current = { locality: 'San Jose', region: 'CA', formatted: 'San Jose, CA' };
    expect(address({}, current)).to.equal(undefined);
    expect(address({ zip: '07123' }, current)).to.deep.equal({
      locality: 'San Jose',
      region: 'CA',
      postal_code: '07123',
    });
    expect(address({ city: null }, current)).to.deep.equal({ region: 'CA' });
    expect(address({ city: null }, { locality: 'x' })).to.equal(null);
  });

  it('the time zones are the eighty of the contract', () => {
    expect(TIME_ZONES.size).to.equal(80);
    for (const zone of ['UTC', 'Asia/Kolkata', 'Asia/Kathmandu', 'Asia/Ho_Chi_Minh'])
      expect(TIME_ZONES.has(zone)).to.equal(true);
    expect(TIME_ZONES.has('Europe/Madrid')).to.equal(false);
  });

  it('settings have the contract’s defaults', () => {
    expect(settings.parse({ enabled: true })).to.deep.equal({
      enabled: true,
      base: '/api_v3',
      authPath: '/auth',
      organization: 'default',
      clientId: 'vsee-legacy',
      accessToken: { lifetime: 86_400 },
      refreshToken: { lifetime: 2_592_000, absoluteLifetime: 15_552_000, leeway: 10 },
      passwordMinimum: 8,
      emailToken: { lifetime: 86_400 },
      limits: { letters: { limit: 5, window: 3600 } },
      registration: 'open',
      requireApiSecret: false,
      ssoTicket: 'reusable',
    });
  });

  it('settings refuse what they do not know, and a limit or portal of another form', () => {
    for (const wrong of [
      { accessToken: { signing: 'HS256' } },
      { limits: { letters: 5 } },
      { limits: { letters: '5 per hour' } },
      { portal: 'portal.test' },
      { portal: 'javascript:alert(1)' },
      { ssoTicket: 'once' },
      { base: 'api' },
      { base: '/api/' },
    ]) {
      expect(settings.safeParse(wrong).success, JSON.stringify(wrong)).to.equal(false);
    }
  });
});
