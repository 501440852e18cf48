/** The sign-in form over plain HTTP: what it tells, what it counts, what it leaves in the log. */
import { expect } from 'chai';
import { type RelyingParty, relyingParty } from '../support/relying-party.ts';
import { startTestServer, type TestServer } from '../support/server.ts';
import { openWebSession, type Page, type WebSession } from '../support/web-session.ts';

const MARA = { login: 'mara@clinic.test', password: 'Harbour-Lantern-Quartz-41' };

describe('the sign-in page', () => {
  let server: TestServer;
  let party: RelyingParty;

  before(async () => {
    server = await startTestServer();
    party = await relyingParty(server.issuer);
  });
  after(() => server.close());

  async function open(address = '203.0.113.1'): Promise<{ session: WebSession; page: Page }> {
    const session = openWebSession({ headers: { 'x-forwarded-for': address } });
    const page = await session.open((await party.begin()).url);
    if (typeof page === 'string') throw new Error(`The browser was sent to ${page}.`);
    return { session, page };
  }

  async function attempt(fields: { login: string; password: string }, address?: string): Promise<Page> {
    const { session, page } = await open(address);
    const reply = await session.submit(page, fields);
    if (typeof reply === 'string') throw new Error(`The browser was sent to ${reply}.`);
    return reply;
  }

  /** What a refusal looks like, apart from what differs with each page. */
  function look(page: Page, login: string) {
    const body = page.body
      .replaceAll(login, 'LOGIN')
      .replace(/\/interaction\/[\w-]+/g, '/interaction/UID')
      .replace(/interaction=[\w-]+/g, 'interaction=UID')
      .replace(/name="form_token" value="[^"]+"/g, 'TOKEN');
    const headers = Object.fromEntries(
      [...page.headers].filter(([name]) => !/^(x-request-id|date|content-length|etag)$/.test(name)),
    );
    return { status: page.status, headers, body };
  }

  it('W7 answers the same bytes to a wrong password, an unknown name and an account without a password', async () => {
    const password = 'Not-The-Password-11';
    const logins = [MARA.login, 'nobody@clinic.test', 'nopass@ward.test'];
    const [wrong, unknown, none] = await Promise.all(
      logins.map(async (login, i) => look(await attempt({ login, password }, `203.0.113.${20 + i}`), login)),
    );
    expect(wrong?.status).to.equal(400);
    expect(unknown).to.deep.equal(wrong);
    expect(none).to.deep.equal(wrong);
  });

  it('R2 counts every spelling of a name as one', async () => {
    const spellings = ['dr@clinic.test', ' DR@clinic.test', 'Dr@Clinic.Test '];
    const statuses: number[] = [];
    for (let i = 0; i < 11; i += 1) {
      const login = spellings[i % 3] ?? '';
      statuses.push((await attempt({ login, password: `wrong-${i}-password` }, '203.0.113.50')).status);
    }
    expect(statuses).to.deep.equal([...Array.from({ length: 10 }, () => 400), 429]);
  });

  it('R1 R4 another client address still gets in', async () => {
    const reply = await attempt(
      { login: 'dr@clinic.test', password: 'Saffron-Glacier-Pilot-19' },
      '203.0.113.51',
    );
    expect(reply.status).to.equal(200);
    expect(reply.body).to.contain('asks for access');
  });

  it('C1 shares its counters with the dialects', async () => {
    const headers = { 'content-type': 'application/json', 'x-forwarded-for': '203.0.113.60' };
    const wrong = () =>
      fetch(`${server.url}/api/therapist/v1/sign-in`, {
        method: 'POST',
        headers,
        body: JSON.stringify({ email: MARA.login, password: 'Not-The-Password-11' }),
      });
    for (let i = 0; i < 10; i += 1) await wrong();
    expect((await attempt({ ...MARA }, '203.0.113.60')).status).to.equal(429);
  });

  it('W4 refuses a password of more than 1 KiB like any other wrong one', async () => {
    const reply = await attempt({ login: MARA.login, password: 'é'.repeat(1000) }, '203.0.113.70');
    expect(reply.status).to.equal(400);
    expect(reply.body).to.contain('Wrong email, username or password');
  });

  for (const value of [
    '',
    '\u0000',
    '\ud83d\ude00'.repeat(300),
    '{"$ne":null}',
    '../../etc/passwd',
    `x\r\nSet-Cookie: a=b`,
  ]) {
    it(`C6 takes the name ${JSON.stringify(value).slice(0, 24)} for a name`, async () => {
      const reply = await attempt({ login: value, password: 'Some-Password-123' }, '203.0.113.80');
      expect(reply.status).to.equal(400);
      expect(reply.headers.get('set-cookie') ?? '').to.not.contain('a=b');
    });
  }

  it('S2 sets its cookies for HTTP only, and each for its own path', async () => {
    const { session } = await open('203.0.113.90');
    const cookies = await session.jar.getCookies(`${server.url}/interaction/x`);
    expect(cookies.length).to.be.above(0);
    for (const cookie of cookies) expect(cookie.httpOnly, cookie.key).to.equal(true);
  });

  it('L1 L2 writes who, where and how into the audit, and no password, cookie or token into the log', async () => {
    const { session, page } = await open('203.0.113.91');
    await session.submit(page, MARA);
    const cookies = await session.jar.getCookies(server.url);
    const token = page.forms[0]?.fields.form_token ?? '';
    const log = server.logText();
    for (const secret of [MARA.password, token, ...cookies.map(({ value }) => value)]) {
      expect(log).to.not.contain(secret);
    }
    const account = await server.running.stores.accounts.byEmail('default', MARA.login);
    const [latest] = await server.running.stores.audit.latest({ limit: 1, subject: account?.id ?? '' });
    expect(latest).to.include({
      event: 'sign-in',
      outcome: 'success',
      address: '203.0.113.91',
      clientId: 'web-app',
    });
    expect(latest?.requestId).to.match(/^[\da-f-]{36}$/);
  });
});
