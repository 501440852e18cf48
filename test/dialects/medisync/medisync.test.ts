import { expect } from 'chai';
import type { Clock } from '../../../src/core/clock.ts';
import { setStatus } from '../../../src/identity/accounts/set-status.ts';
import { updateAccount } from '../../../src/identity/accounts/update-account.ts';
import { startTestServer, type TestServer } from '../../support/server.ts';
import { type Caller, callerOf, statuses, times } from '../caller.ts';

const NGOZI = { email: 'n.okafor@ward.test', password: 'Copper-Meadow-Falcon-72' };
const UDO = { email: 'unverified@ward.test', password: 'Violet-Anchor-Timber-58' };
const DEAD = { success: false, error: 'Authentication required', code: 'AUTH_REQUIRED' };
const BAD_LINK = {
  success: false,
  error: 'Invalid or expired verification link',
  code: 'INVALID_VERIFICATION_TOKEN',
};
const BAD_JSON = { success: false, error: 'Request body must be valid JSON', code: 'VALIDATION_ERROR' };

const MINUTE = 60_000;

function person(email: string) {
  return {
    title: 'Dr.',
    firstName: 'Idalina',
    lastName: 'Holmgreen',
    email,
    password: 'Tundra-Velvet-Compass-93',
    specialty: 'Nephrology',
    ehr_system_type: 'Allscripts',
    ehr_system_name: 'Eastside',
  };
}

describe('MediSync', () => {
  let server: TestServer;
  let ahead = 0;
  const clock: Clock = { now: () => new Date(Date.now() + ahead) };

  before(async () => {
    server = await startTestServer({ clock });
  });
  after(() => server.close());
  afterEach(() => {
    ahead = 0;
  });

  const open = () => callerOf(server, '/api');

  async function signIn(caller: Caller, who: Record<string, unknown> = NGOZI): Promise<string> {
    const answer = await caller.call('POST', '/login', { json: who });
    expect(answer.status, answer.text).to.equal(200);
    return answer.json.token;
  }

  async function accountOf(email: string) {
    const account = await server.running.stores.accounts.byEmail('default', email);
    if (account === undefined) throw new Error(`There is nobody at ${email}.`);
    return account;
  }

  /** Registers somebody and reads the link of the email. */
  async function linkOf(email: string): Promise<string> {
    const registered = await open().call('POST', '/register', { json: person(email) });
    expect(registered.status, registered.text).to.equal(201);
    const { text } = await server.mail.take(email);
    const token = /token=(vt_[\w-]{43})(?![\w-])/.exec(text)?.[1];
    if (token === undefined) throw new Error(`No link in the letter:\n${text}`);
    return token;
  }

  const verify = (token: string) => open().call('POST', '/verification/verify', { json: { token } });

  it('C6 a body that is not UTF-8 is no JSON', async () => {
    const bytes = Buffer.from('{"email":"n.okafor@ward.test","password":"caf\u00e9"}', 'latin1');
    for (const type of ['application/json', 'application/json; charset=iso-8859-1']) {
      const answer = await open().call('POST', '/login', { bytes, headers: { 'content-type': type } });
      expect([answer.status, answer.json]).to.deep.equal([400, BAD_JSON]);
    }
    const form = await open().call('POST', '/verification/verify', {
      bytes: Buffer.from('token=\xff', 'latin1'),
      headers: { 'content-type': 'application/x-www-form-urlencoded' },
    });
    expect(form.status).to.equal(400);
    expect(form.headers['content-type']).to.match(/^text\/html/);
  });

  it('a body of exactly 64 KiB is read, one byte more is not', async () => {
    const caller = open();
    const body = (bytes: number) => `{"pad":"${'k'.repeat(bytes - '{"pad":""}'.length)}"}`;
    for (const [bytes, status] of [
      [65_536, 400],
      [65_537, 413],
    ] as const) {
      expect((await caller.call('POST', '/login', { bytes: body(bytes) })).status).to.equal(status);
      expect((await caller.call('POST', '/verification/resend', { bytes: body(bytes) })).status).to.equal(
        status,
      );
    }
  });

  describe('limits', () => {
    it('the window of sign-ins slides, and refused calls are not counted', async () => {
      const caller = open();
      await signIn(caller);
      ahead = 10 * MINUTE;
      await times(4, () => signIn(caller));
      const refused = await times(6, () => caller.call('POST', '/login', { json: NGOZI }));
      expect(statuses(refused)).to.deep.equal({ 429: 6 });
      for (const { headers } of refused) expect(Number(headers['retry-after'])).to.be.within(295, 300);
      ahead = 15 * MINUTE + 5000;
      const freed = await times(2, () => caller.call('POST', '/login', { json: NGOZI }));
      expect(statuses(freed)).to.deep.equal({ 200: 1, 429: 1 });
      ahead = 25 * MINUTE + 5000;
      expect(statuses(await times(5, () => caller.call('POST', '/login', { json: NGOZI })))).to.deep.equal({
        200: 4,
        429: 1,
      });
    });

    it('of ten parallel sign-ins five are tried', async () => {
      const caller = open();
      const right = await times(10, () => caller.call('POST', '/login', { json: NGOZI }));
      expect(statuses(right)).to.deep.equal({ 200: 5, 429: 5 });
      const wrong = open();
      const json = { ...NGOZI, password: 'x' };
      expect(statuses(await times(10, () => wrong.call('POST', '/login', { json })))).to.deep.equal({
        401: 5,
        429: 5,
      });
    });

    it('three registrations an hour, in any hour', async () => {
      const caller = open();
      const register = (index: number) =>
        caller.call('POST', '/register', { json: person(`new-hour${index}@x.test`) });
      expect((await register(1)).status).to.equal(201);
      ahead = 40 * MINUTE;
      expect(statuses(await times(4, (index) => register(index + 2)))).to.deep.equal({ 201: 2, 429: 2 });
      ahead = 61 * MINUTE;
      expect(statuses(await times(3, (index) => register(index + 10)))).to.deep.equal({ 201: 1, 429: 2 });
    });

    it('C1 a client address that is full elsewhere may neither sign in, register nor resend; malformed calls are told first', async () => {
      const strict = await startTestServer({ config: { attempts: { address: { limit: 2, window: 900 } } } });
      try {
        const caller = callerOf(strict, '/api');
        for (const email of ['a@x.test', 'b@x.test']) {
          await caller.call('POST', '/login', { json: { email, password: 'x' } });
        }
        const bodies = {
          '/login': NGOZI,
          '/register': person('new-full@x.test'),
          '/verification/resend': { email: UDO.email },
        };
        for (const [path, json] of Object.entries(bodies)) {
          const answers = await times(8, () => caller.call('POST', path, { json }));
          expect(statuses(answers), path).to.deep.equal({ 429: 8 });
          expect(Number(answers[0]?.headers['retry-after']), path).to.be.within(800, 900);
          expect((await caller.call('POST', path, { json: {} })).status, path).to.equal(400);
        }
        const dead = await caller.call('POST', '/verification/resend', { token: 'dead' });
        expect([dead.status, dead.json]).to.deep.equal([401, DEAD]);
        expect((await verify('vt_x')).status).to.equal(400);
        expect(strict.mail.emails).to.deep.equal([]);
      } finally {
        await strict.close();
      }
    });
  });

  describe('registration', () => {
    it('X4 of ten parallel registrations of one address one wins, and one email goes out', async () => {
      const email = 'new-race@x.test';
      const answers = await times(10, () => open().call('POST', '/register', { json: person(email) }));
      expect(statuses(answers)).to.deep.equal({ 201: 1, 409: 9 });
      await server.mail.take(email);
      expect(server.mail.waiting(email)).to.deep.equal([]);
    });

    it('the email quotes nothing of the request, since its reader may know nothing of it', async () => {
      const email = 'new-quote@x.test';
      const sent = person(email);
      await open().call('POST', '/register', { json: sent });
      const letter = await server.mail.take(email);
      for (const text of [
        sent.firstName,
        sent.lastName,
        sent.specialty,
        sent.ehr_system_type,
        sent.password,
      ]) {
        expect(letter.subject + letter.text + letter.html, text).to.not.contain(text);
      }
      const link = `${server.issuer}/api/verification/verify?token=vt_`;
      expect(letter.text).to.contain(link);
      expect(letter.html).to.contain(link);
      expect(letter.headers.has('set-cookie')).to.equal(false);
    });

    it('a new account has no roles, and its times are one', async () => {
      await open().call('POST', '/register', { json: { ...person('new-role@x.test'), roles: ['admin'] } });
      const account = await accountOf('new-role@x.test');
      expect(account.roles).to.deep.equal([]);
      expect(account.status).to.equal('active');
      expect(account.createdAt).to.deep.equal(account.updatedAt);
    });
  });

  describe('verification links', () => {
    it('of ten parallel uses one succeeds', async () => {
      const token = await linkOf('new-once@x.test');
      expect(statuses(await times(10, () => verify(token)))).to.deep.equal({ 200: 1, 400: 9 });
    });

    it('are dead after a day, for a blocked account, and for an address that was given up', async () => {
      const late = await linkOf('new-late@x.test');
      ahead = 24 * 60 * MINUTE + 1000;
      expect((await verify(late)).json).to.deep.equal(BAD_LINK);
      ahead = 0;
      expect((await verify(late)).status, 'looking did not spend it').to.equal(200);

      const blocked = await linkOf('new-blocked@x.test');
      await setStatus(server.running.identity, {
        accountId: (await accountOf('new-blocked@x.test')).id,
        status: 'blocked',
      });
      expect((await verify(blocked)).json).to.deep.equal(BAD_LINK);

      const moved = await linkOf('new-moved@x.test');
      const { id } = await accountOf('new-moved@x.test');
      await updateAccount(server.running.identity, id, (account) => ({
        ...account,
        email: 'new-moved-on@x.test',
      }));
      expect((await verify(moved)).json).to.deep.equal(BAD_LINK);
      expect((await accountOf('new-moved-on@x.test')).emailVerified).to.equal(false);
    });

    it('L2 do not appear in the log', async () => {
      const token = await linkOf('new-store@x.test');
      expect(server.logText()).to.not.contain(token);
    });
  });

  describe('tokens', () => {
    it('live a day, or a month when the person asked to be remembered', async () => {
      const caller = open();
      const day = await signIn(caller);
      const month = await signIn(caller, { ...NGOZI, remember: true });
      const status = async (token: string) => (await caller.call('GET', '/user/profile', { token })).status;
      ahead = 86_395_000;
      expect([await status(day), await status(month)]).to.deep.equal([200, 200]);
      ahead = 86_402_000;
      expect([await status(day), await status(month)]).to.deep.equal([401, 200]);
      ahead = 2_591_995_000;
      expect([await status(day), await status(month)]).to.deep.equal([401, 200]);
      ahead = 2_592_002_000;
      expect([await status(day), await status(month)]).to.deep.equal([401, 401]);
    });

    it('S4 die with the status of their account, at once', async () => {
      const caller = open();
      await linkOf('new-status@x.test');
      const who = { email: 'new-status@x.test', password: person('').password };
      const token = await signIn(caller, who);
      const { id } = await accountOf(who.email);
      for (const status of ['inactive', 'blocked'] as const) {
        await setStatus(server.running.identity, { accountId: id, status });
        expect((await caller.call('GET', '/user/profile', { token })).json, status).to.deep.equal(DEAD);
        expect((await caller.call('POST', '/login', { json: who })).status, status).to.equal(401);
        const resend = await caller.call('POST', '/verification/resend', { token });
        expect(resend.json, status).to.deep.equal(DEAD);
      }
      expect(server.mail.waiting(who.email)).to.deep.equal([]);
    });
  });

  it('what a billing program wrote is reported as it stands', async () => {
    const caller = open();
    const token = await signIn(caller);
    const { id } = await accountOf(NGOZI.email);
    const subscription = async (members: Record<string, string | boolean | null>) => {
      await updateAccount(server.running.identity, id, (account) => ({
        ...account,
        vendor: { ...account.vendor, medisync: { ...account.vendor.medisync, ...members } },
      }));
      return (await caller.call('GET', '/settings/subscription', { token })).json.data;
    };
    expect(await subscription({ subscriptionExpiry: '2031-12-31T23:59:59Z' })).to.deep.equal({
      subscriptionActive: true,
      subscriptionExpiry: '2031-12-31T23:59:59.000Z',
    });
    expect(await subscription({ subscriptionActive: false, subscriptionExpiry: null })).to.deep.equal({
      subscriptionActive: false,
      subscriptionExpiry: null,
    });
    expect(
      await subscription({ subscriptionActive: true, subscriptionExpiry: '2020-01-01T01:00:00.5+01:00' }),
    ).to.deep.equal({ subscriptionActive: true, subscriptionExpiry: '2020-01-01T00:00:00.500Z' });
  });
});
