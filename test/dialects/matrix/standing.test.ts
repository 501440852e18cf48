/** Who somebody is and what they may is not in what they send, where all else that they send is right. */
import { expect } from 'chai';
import type { AccountRecord } from '../../../src/model/account.ts';
import type { DialectInfo } from '../../conformance/dialect-under-test.ts';
import { avycenna, careportals, medisync, visitnote, vsee } from '../vendors.ts';
import { openWorld, PASSWORD, type World } from './world.ts';

/** By all the names that vendors and we have for it. */
const PROMOTION = {
  ...{ id: 'acc_chosen', _id: '64b0c0ffee00000000000042', sub: 'acc_chosen', uname: 'root', user_id: '1' },
  ...{ role: 'admin', roles: ['admin'], type: 100, subtype: 'admin', user_type: '100', is_admin: true },
  ...{
    email_verified: true,
    emailVerified: true,
    isVerified: true,
    verified: true,
    verifications: { email: true },
  },
  ...{
    status: 'blocked',
    active: true,
    organization: 'clinicdev',
    tenant: 'clinicdev',
    account_code: 'clinicdev',
  },
  ...{
    passwordHash: 'x',
    password_hash: 'x',
    subscriptionActive: true,
    version: 0,
    vendor: { vsee: { type: '100' } },
  },
};

interface Row {
  readonly vendor: DialectInfo;
  readonly method: string;
  readonly path: string;
  readonly status: number;
  body(email: string): Record<string, unknown>;
}

const REGISTER: readonly Row[] = [
  {
    ...{ vendor: visitnote, method: 'POST', path: '/api/therapist/v1/register', status: 200 },
    body: (email) => ({ first_name: 'Mo', last_name: 'Moss', email, password: PASSWORD }),
  },
  {
    ...{ vendor: medisync, method: 'POST', path: '/api/register', status: 201 },
    body: (email) => ({
      ...{ title: 'Dr.', firstName: 'Mo', lastName: 'Moss', email, password: PASSWORD },
      ...{ specialty: 'Surgery', ehr_system_type: 'Epic', ehr_system_name: 'East' },
    }),
  },
  {
    ...{ vendor: careportals, method: 'POST', path: '/patient/users', status: 201 },
    body: (email) => ({
      ...{ email, firstName: 'Mo', lastName: 'Moss', gender: 'male', dob: '1990-01-01', password: PASSWORD },
      phone: `+1555555${email.startsWith('plain') ? '0171' : '0172'}`,
    }),
  },
  {
    ...{ vendor: avycenna, method: 'POST', path: '/api/v1/auth/register', status: 201 },
    body: (email) => ({ name: 'Dr. Mo Moss', email, password: PASSWORD }),
  },
  {
    ...{ vendor: vsee, method: 'POST', path: '/api_v3/users/activate', status: 200 },
    body: (email) => ({ email, first_name: 'Mo', last_name: 'Moss' }),
  },
];

const CHANGE: readonly Row[] = [
  {
    ...{ vendor: visitnote, method: 'POST', path: '/api/therapist/v1/complete-onboarding', status: 200 },
    body: () => ({ discipline: 'PT' }),
  },
  {
    ...{ vendor: medisync, method: 'PUT', path: '/api/user/profile', status: 200 },
    body: () => ({ firstName: 'Changed' }),
  },
  ...(['PUT', 'PATCH'] as const).map((method) => ({
    ...{ vendor: careportals, method, path: '/patient/users/account', status: 200 },
    body: () => ({ profile: { firstName: 'Changed', ...PROMOTION } }),
  })),
  {
    ...{ vendor: vsee, method: 'POST', path: '/api_v3/me', status: 200 },
    body: () => ({ first_name: 'Changed' }),
  },
];

describe('C6 F7 a body that is right in all else', () => {
  let world: World;
  before(async () => {
    world = await openWorld();
  });
  after(() => world.close());

  const accountOf = async ({ vendor }: Row, email: string): Promise<AccountRecord> => {
    const result = await world.server.running.stores.accounts.byEmail(vendor.organization, email);
    if (result === undefined) throw new Error(`There is no ${email}.`);
    return result;
  };

  /** Without what each account has of its own. */
  const standingOf = ({ status, emailVerified, roles, organization, vendor }: AccountRecord) => {
    const own = Object.values(vendor).map(({ code: _, trial_ends_at: __, ...members }) => members);
    return { status, emailVerified, roles, organization, own };
  };

  for (const row of REGISTER) {
    it(`C6 F7 registers at ${row.vendor.dialect.name} like any other, whatever else it says`, async () => {
      const register = async (email: string, more: object) => {
        const json = { ...more, ...row.body(email) };
        const { method, path, status, vendor } = row;
        const reply = await world.send({ method, path, headers: { ...vendor.headers }, json });
        expect(reply.status, reply.text).to.equal(status);
        return accountOf(row, email);
      };
      const name = row.vendor.dialect.name;
      const plain = await register(`plain-${name}@standing.test`, {});
      const hostile = await register(`wants-${name}@standing.test`, PROMOTION);
      expect(standingOf(hostile)).to.deep.equal(standingOf(plain));
      expect(hostile.emailVerified).to.equal(false);
      const { id, aliases } = hostile;
      const chosen = Object.values<unknown>(PROMOTION);
      for (const own of [id, ...Object.values(aliases)]) expect(chosen).to.not.include(own);
    });
  }

  for (const row of CHANGE) {
    const { method, path, vendor } = row;
    it(`C6 F7 changes nothing of that by ${method} ${path}`, async () => {
      const { email = '' } = await world.person({ organization: vendor.organization, verified: false });
      const { access } = await world.tokens(vendor, email);
      const standing = async () => {
        const { claims: _, vendor: own, updatedAt: __, version: ___, ...rest } = await accountOf(row, email);
        const { type, subtype, role, subscriptionActive } = own[vendor.dialect.name] ?? {};
        return { ...rest, type, subtype, role, subscriptionActive };
      };
      const before = await standing();
      const reply = await world.send({
        ...{ method, path, headers: { ...vendor.headers, ...vendor.me.headers(access) } },
        json: { ...PROMOTION, ...row.body(email) },
      });
      expect(reply.status, reply.text).to.equal(row.status);
      expect(await standing()).to.deep.equal(before);
    });
  }
});
