import { expect } from 'chai';
import { registerAccount } from '../../../src/identity/accounts/create-account.ts';
import { deleteAccount } from '../../../src/identity/accounts/delete-account.ts';
import { setStatus } from '../../../src/identity/accounts/set-status.ts';
import { updateAccount } from '../../../src/identity/accounts/update-account.ts';
import type { AccountRecord } from '../../../src/model/account.ts';
import { eventually } from '../../support/in-time.ts';
import { startTestServer, type TestServer } from '../../support/server.ts';
import { clientOf, NEW_PASSWORD, patient, said } from './client.ts';

const INVALID_TOKEN = '401 {"message":"Invalid token"}';
const UNAUTHORIZED = '401 {"message":"Unauthorized"}';

describe('CarePortals', () => {
  let server: TestServer;
  before(async () => {
    server = await startTestServer();
  });
  after(() => server.close());

  async function recordOf(email: string, organization = 'north_clinic'): Promise<AccountRecord> {
    const account = await server.running.stores.accounts.byEmail(organization, email);
    if (account === undefined) throw new Error(`There is nobody at ${email}.`);
    return account;
  }

  describe('sign-in names', () => {
    const PASSWORD = 'Thistle-Quarry-Beacon-52';
    const register = (account: { email?: string; username?: string }, roles: string[] = ['staff']) =>
      registerAccount(server.running.identity, {
        organization: 'north_clinic',
        account: { ...account, password: PASSWORD, roles },
      });
    const status = async (username: string) =>
      (await clientOf(server).post('/patient/auth', { username, password: PASSWORD })).status;

    it('are tried as the address, then as the uname, then as the name of its own', async () => {
      await register({ username: 'FrontDesk' });
      expect(await status('frontdesk')).to.equal(201);
      expect(await status(' FRONTDESK ')).to.equal(201);
      // What stands before the ending is an address or nothing.
      expect(await status('frontdesk#north_clinic')).to.equal(401);
      await register({ username: 'Night#north_clinic' });
      expect(await status('night#North_Clinic')).to.equal(201);
      expect(await status('night')).to.equal(401);
      await register({ email: 'hash@x.test#north_clinic' });
      expect(await status('hash@x.test#north_clinic')).to.equal(201);
      expect(await status('hash@x.test#north_clinic#north_clinic')).to.equal(201);
    });

    it('C1 of one account are one login: ten failures over all of them are all there are', async () => {
      const client = clientOf(server);
      await register({ username: 'ward-9', email: 'ward9@x.test' });
      const names = ['ward-9', 'ward9@x.test', 'WARD9@x.test#north_clinic', ' Ward-9', 'ward9@X.test'];
      for (const username of [...names, ...names]) {
        expect(said(await client.post('/patient/auth', { username, password: 'wrong' }))).to.equal(
          UNAUTHORIZED,
        );
      }
      for (const username of names) {
        const answer = await client.post('/patient/auth', { username, password: PASSWORD });
        expect(answer.status, username).to.equal(429);
      }
    });

    it('of organization users open their channel, of patients only the other one', async () => {
      const client = clientOf(server);
      await register({ username: 'both' }, ['patient', 'nurse']);
      await register({ username: 'none' }, []);
      const channel = async (username: string) =>
        (await client.post('/org/auth', { username, password: PASSWORD })).status;
      expect(await channel('both')).to.equal(201);
      expect(await channel('none')).to.equal(401);
    });
  });

  describe('the own account', () => {
    it('has a number that is unverified when it is new, and not when it is only spelt anew', async () => {
      const client = clientOf(server);
      const token = await client.signIn();
      const { id } = await recordOf('lea@x.test');
      await updateAccount(server.running.identity, id, (account) => ({
        ...account,
        claims: { ...account.claims, phone_number: '5555550142', phone_number_verified: true },
      }));
      expect((await client.account(token)).text).to.contain('"phone":"+15555550142"');
      await client.patch(token, { profile: { phone: '+1 (555) 555-0142' } });
      expect((await recordOf('lea@x.test')).claims.phone_number_verified).to.equal(true);
      await client.patch(token, { profile: { phone: '+15555550143' } });
      const { claims } = await recordOf('lea@x.test');
      expect([claims.phone_number, claims.phone_number_verified]).to.deep.equal(['+15555550143', false]);
    });

    it('shows a number that is none as it is stored, and two lines of a street', async () => {
      const client = clientOf(server);
      const token = await client.signIn();
      const { id } = await recordOf('lea@x.test');
      await updateAccount(server.running.identity, id, (account) => ({
        ...account,
        claims: {
          ...account.claims,
          phone_number: 'ext. 12',
          address: { street_address: '12 Elm St\r\nFlat 3\r\nBack door', region: 'AB', country: 'CA' },
        },
      }));
      const shown = (await client.account(token)).json() as {
        profile: { phone: string };
        address: { default: Record<string, string> };
      };
      expect(shown.profile.phone).to.equal('ext. 12');
      expect(shown.address.default).to.deep.equal({
        province: 'AB',
        provinceCode: 'AB',
        address1: '12 Elm St',
        address2: 'Flat 3',
        city: '',
        countryCode: 'CA',
        postalCode: '',
      });
      await client.patch(token, { address: { default: { city: 'Calgary' } } });
      const kept = await recordOf('lea@x.test');
      expect(kept.claims.address).to.deep.equal({
        street_address: '12 Elm St\nFlat 3',
        locality: 'Calgary',
        region: 'AB',
        country: 'CA',
      });
      expect(kept.vendor.careportals?.province, 'a province that nobody named').to.equal(undefined);
    });

    it('shows a gender in small emails, and takes back what it shows, whatever other channels stored', async () => {
      const client = clientOf(server);
      const token = await client.signIn();
      const { id } = await recordOf('lea@x.test');
      const stored = {
        given_name: 'Lea',
        family_name: 'M'.repeat(120),
        gender: 'Non-Binary',
        birthdate: '1991',
        phone_number: 'none',
        address: { street_address: 'Long Street '.repeat(12).trim(), region: 'AB' },
      };
      const before = await updateAccount(server.running.identity, id, ({ vendor: _, ...account }) => ({
        ...account,
        vendor: {},
        claims: stored,
      }));
      const shown = (await client.account(token)).json() as {
        profile: { gender: string };
        address: { default: { address1: string } };
      };
      expect(shown.profile.gender).to.equal('non-binary');
      expect(shown.address.default.address1).to.have.lengthOf(143);
      const again = await client.patch(token, { ...shown, prescriptions: [] });
      expect([again.status, again.json()]).to.deep.equal([200, shown]);
      expect((await recordOf('lea@x.test')).claims).to.deep.equal(before.claims);
      for (const unfit of [
        { profile: { gender: 'Non-Binary' } },
        { profile: { dob: '1992' } },
        { profile: { lastName: 'M'.repeat(119) } },
        { address: { default: { address2: stored.address.street_address } } },
        { address: { other: [{ address1: stored.address.street_address }] } },
      ]) {
        expect((await client.patch(token, unfit)).status, JSON.stringify(unfit)).to.equal(406);
      }
    });

    it('is stored as standard claims, and the vendor part only as what has no claim', async () => {
      const client = clientOf(server);
      await client.post(
        '/patient/users',
        patient('new-store@x.test', {
          password: NEW_PASSWORD,
          provinceCode: 'qc',
          roles: ['admin'],
          meta: { a: 1 },
        }),
      );
      const created = await recordOf('new-store@x.test');
      expect(created.roles).to.deep.equal([]);
      expect(created.emailVerified).to.equal(false);
      expect(created.claims).to.deep.equal({
        given_name: 'Nia',
        family_name: 'New',
        gender: 'other',
        birthdate: '1990-01-01',
        phone_number: '+15555550170',
        phone_number_verified: false,
        address: { region: 'QC' },
      });
      expect(created.vendor.careportals ?? {}).to.deep.equal({ role: 'patient' });
      const token = await client.signIn({
        username: 'new-store@x.test',
        password: NEW_PASSWORD,
        organization: 'north_clinic',
      });
      await client.patch(token, { address: { default: { province: 'Québec' }, other: [{ city: 'Laval' }] } });
      const { vendor } = await recordOf('new-store@x.test');
      expect(vendor.careportals).to.deep.equal({
        role: 'patient',
        province: 'Québec',
        addresses: [
          {
            province: '',
            provinceCode: '',
            address1: '',
            address2: '',
            city: 'Laval',
            countryCode: '',
            postalCode: '',
          },
        ],
      });
    });

    it('of twenty parallel changes loses none', async () => {
      const client = clientOf(server);
      const token = await client.signIn();
      const members = ['address1', 'address2', 'city', 'countryCode', 'postalCode'];
      const changes = members.map((member) =>
        client.patch(token, { address: { default: { [member]: 'Q' } } }),
      );
      for (const answer of await Promise.all(changes)) expect(answer.status).to.equal(200);
      const { address } = (await client.account(token)).json() as {
        address: { default: Record<string, string> };
      };
      for (const member of members) expect(address.default[member], member).to.equal('Q');
    });
  });

  describe('accounts', () => {
    it('X4 of twenty parallel registrations of one address in many spellings are one', async () => {
      const answers = await Promise.all(
        Array.from({ length: 20 }, (_, index) => {
          const email = index % 2 === 0 ? ' New-Race@x.test' : 'NEW-race@X.TEST ';
          return clientOf(server).post('/patient/users', patient(email, { password: NEW_PASSWORD }));
        }),
      );
      expect(answers.filter(({ status }) => status === 201)).to.have.length(1);
      const others = answers.filter(({ status }) => status !== 201);
      expect(new Set(others.map(said))).to.deep.equal(new Set(['409 {"message":"Account Exists Already"}']));
    });

    it('that are blocked lose token and reset link at once, and get neither again', async () => {
      const client = clientOf(server);
      await client.post('/patient/users', patient('new-block@x.test', { password: NEW_PASSWORD }));
      const who = { username: 'new-block@x.test', password: NEW_PASSWORD, organization: 'north_clinic' };
      const token = await client.signIn(who);
      const link = await client.resetToken('new-block@x.test');
      const { id: accountId } = await recordOf('new-block@x.test');
      await setStatus(server.running.identity, { accountId, status: 'blocked' });
      expect(said(await client.account(token))).to.equal(UNAUTHORIZED);
      const asked = await client.send({ method: 'GET', path: `/patient/auth/forgot/validate?token=${link}` });
      expect(said(asked)).to.equal(INVALID_TOKEN);
      const reset = { token: link, password: 'Tundra-Velvet-Ladder-38' };
      expect(said(await client.post('/patient/auth/reset', reset))).to.equal(INVALID_TOKEN);
      expect(said(await client.post('/patient/auth', who))).to.equal(UNAUTHORIZED);
      expect(said(await client.post('/patient/users', patient('new-block@x.test')))).to.contain('409');
      await setStatus(server.running.identity, { accountId, status: 'active' });
      expect(said(await client.account(token))).to.equal(UNAUTHORIZED);
    });

    it('that are deleted lose their tokens, and their address is free', async () => {
      const client = clientOf(server);
      await client.post('/patient/users', patient('new-gone@x.test', { password: NEW_PASSWORD }));
      const token = await client.signIn({
        username: 'new-gone@x.test',
        password: NEW_PASSWORD,
        organization: 'north_clinic',
      });
      const { id: accountId } = await recordOf('new-gone@x.test');
      await deleteAccount(server.running.identity, { accountId });
      expect(said(await client.account(token))).to.equal(UNAUTHORIZED);
      expect((await client.post('/patient/users', patient('new-gone@x.test'))).status).to.equal(201);
    });
  });

  describe('resets', () => {
    it('X2 W6 of twenty parallel uses of one token is one, and a refused password is none', async () => {
      const client = clientOf(server);
      await client.post('/patient/users', patient('new-par@x.test'));
      const token = await client.resetToken('new-par@x.test');
      const weak = await Promise.all(
        Array.from({ length: 5 }, () => client.post('/patient/auth/reset', { token, password: 'password1' })),
      );
      for (const answer of weak) expect(answer.status).to.equal(406);
      // Ten refusals from one address would be all it gets: each comes from its own.
      const answers = await Promise.all(
        Array.from({ length: 20 }, (_, index) =>
          clientOf(server).post('/patient/auth/reset', { token, password: `${NEW_PASSWORD}-${index}` }),
        ),
      );
      expect(answers.filter(({ status }) => status === 201)).to.have.length(1);
      expect(new Set(answers.filter(({ status }) => status !== 201).map(said))).to.deep.equal(
        new Set([INVALID_TOKEN]),
      );
      const winner = answers.findIndex(({ status }) => status === 201);
      const signedIn = await client.post('/patient/auth', {
        username: 'new-par@x.test',
        password: `${NEW_PASSWORD}-${winner}`,
      });
      expect(signedIn.status).to.equal(201);
      expect((await recordOf('new-par@x.test')).emailVerified).to.equal(true);
    });

    it('L2 are never logged', async () => {
      const client = clientOf(server);
      await client.post('/patient/users', patient('new-log@x.test'));
      const token = await client.resetToken('new-log@x.test');
      await client.send({ method: 'GET', path: `/patient/auth/forgot/validate?token=${token}` });
      await client.post('/patient/auth/reset', { token, password: NEW_PASSWORD });
      expect(server.logText()).to.not.contain(token).and.not.contain(NEW_PASSWORD);
    });
  });

  it('L1 each act writes an audit line with the organization', async () => {
    const client = clientOf(server);
    await client.post('/patient/users', patient('new-audit@x.test', { password: NEW_PASSWORD }));
    const who = { username: 'new-audit@x.test', password: NEW_PASSWORD, organization: 'north_clinic' };
    const token = await client.signIn(who);
    await client.post('/patient/auth', { ...who, password: 'wrong' });
    await client.patch(token, { profile: { firstName: 'Audrey' } });
    const link = await client.resetToken('new-audit@x.test');
    await client.post('/patient/auth/reset', { token: link, password: 'Tundra-Velvet-Ladder-38' });
    const { id: subject } = await recordOf('new-audit@x.test');
    const events = ['account.register', 'sign-in', 'profile.update', 'link-token.send', 'password.set'];
    const lines = await eventually(async () => {
      const latest = await server.running.stores.audit.latest({ limit: 50, subject });
      expect(latest).to.have.length.at.least(7);
      return latest;
    });
    for (const event of events) expect(lines.map((line) => line.event)).to.include(event);
    const outcomes = lines.filter(({ event }) => event === 'sign-in').map(({ outcome }) => outcome);
    expect(new Set(outcomes)).to.have.property('size', 2);
    for (const line of lines) expect(line.organization).to.equal('north_clinic');
  });
});
