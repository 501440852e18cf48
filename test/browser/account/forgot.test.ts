/** Forgot password, from the sign-in page to the sign-in with the new one. */
import { expect } from 'chai';
import { registerAccount } from '../../../src/identity/accounts/create-account.ts';
import { RESET, readLinkToken } from '../../../src/identity/codes/link-token.ts';
import { linkIdentity } from '../../../src/identity/upstream/link-identity.ts';
import { openClient } from '../../support/http-client.ts';
import { apart, numbersOf } from '../../support/timing.ts';
import type { Page } from '../../support/web-session.ts';
import {
  type AccountWorld,
  alertOf,
  DOCTOR,
  FRESH,
  formTo,
  MARA,
  pathOf,
  shown,
  startAccountWorld,
} from './account-world.ts';

describe('forgot password', () => {
  let world: AccountWorld;
  let calls = 0;

  before(async () => {
    world = await startAccountWorld();
  });
  after(() => world.server.close());

  async function ask(login: string, headers: Record<string, string> = {}): Promise<Page> {
    calls += 1;
    const visitor = world.visitor(`198.51.100.${calls % 250}`);
    const form = formTo(await visitor.open('/forgot?organization=default'), '/forgot');
    const body = new URLSearchParams({ ...form.fields, login });
    const reply = await visitor.session.request(form.action, {
      method: 'POST',
      body,
      headers: { ...headers, origin: world.server.issuer },
    });
    expect(reply.status).to.equal(303);
    return visitor.open(reply.headers.get('location') ?? '');
  }

  const linkFor = async (email: string) => {
    const { text } = await world.server.mail.take(email);
    return /https?:\/\/\S+\/reset\?token=\S+/.exec(text)?.[0] ?? '';
  };

  it('W6 leads from the sign-in page by an email to a new password, and signs nobody in', async () => {
    const visitor = world.visitor('203.0.113.40');
    const signIn = await visitor.open('/account');
    const link = /href="(\/forgot\?[^"]+)"/.exec(signIn.body)?.[1]?.replaceAll('&amp;', '&') ?? '';
    const page = await visitor.open(link);
    const sent = shown(await visitor.session.submit(page, { login: 'Patient@Clinic.test' }));
    expect(pathOf(sent)).to.equal('/forgot/sent');
    expect(sent.body).to.contain(`href="${pathOf(signIn)}"`);
    const reset = shown(await visitor.session.open(await linkFor('patient@clinic.test')));
    const done = shown(await visitor.session.submit(reset, { password: FRESH }));
    expect(pathOf(done)).to.equal('/reset/done');
    expect(pathOf(await visitor.open('/account'))).to.match(/^\/interaction\//);
    await world.visitor().signIn({ login: 'patient@clinic.test', password: FRESH });
    expect((await world.server.mail.take('patient@clinic.test')).subject).to.equal(
      'Your password has been reset',
    );
    const { id } = await world.account('patient@clinic.test');
    const lines = await world.server.running.stores.audit.latest({ limit: 10, subject: id });
    expect(lines.map(({ event }) => event)).to.include.members(['password.forgotten', 'password.set']);
    expect(lines.find(({ event }) => event === 'password.set')?.address).to.equal('203.0.113.40');
  });

  it('W6 W5 signs the person out everywhere', async () => {
    const elsewhere = await world.signedIn(DOCTOR);
    await ask(DOCTOR.login);
    const visitor = world.visitor();
    const reset = shown(await visitor.session.open(await linkFor(DOCTOR.login)));
    await visitor.session.submit(reset, { password: FRESH });
    expect(pathOf(await elsewhere.open('/account'))).to.match(/^\/interaction\//);
  });

  const poison: Record<string, string>[] = [
    { host: 'evil.test' },
    { 'x-forwarded-host': 'evil.test' },
    { forwarded: 'host=evil.test;proto=https' },
    { 'x-forwarded-proto': 'https' },
    { 'x-forwarded-host': 'evil.com:x@good', 'x-forwarded-port': '1' },
    { 'x-original-url': 'https://evil.test/', 'x-host': 'evil.test', 'x-forwarded-server': 'evil.test' },
  ];
  for (const [i, headers] of poison.entries()) {
    it(`W6 H2 begins the link with the issuer, whatever ${Object.keys(headers).join(', ')} says`, async () => {
      const email = `poison-${i}@clinic.test`;
      await registerAccount(world.server.running.identity, {
        organization: 'default',
        account: { email, emailVerified: true },
      });
      const client = openClient(world.server.url);
      const open = await client.send({ method: 'GET', path: '/forgot', headers });
      const cookie = open.cookies.map((one) => one.split(';')[0]).join('; ');
      const token = /name="form_token" value="([^"]+)"/.exec(open.text)?.[1] ?? '';
      const reply = await client.send({
        method: 'POST',
        path: '/forgot',
        headers: { ...headers, cookie, 'content-type': 'application/x-www-form-urlencoded' },
        body: String(new URLSearchParams({ form_token: token, organization: 'default', login: email })),
      });
      client.close();
      expect(reply.status).to.equal(303);
      expect(reply.headers.location).to.match(/^\/forgot\/sent/);
      const letter = await world.server.mail.take(email);
      expect(letter.text).to.contain(`${world.server.issuer}/reset?token=`);
      expect(letter.text + letter.html)
        .to.not.contain('evil')
        .and.not.contain('https://127');
    });
  }

  it("W6 sets nobody else's password: the account is the link's, whatever else the form says", async () => {
    await ask('codes@clinic.test');
    const visitor = world.visitor();
    const reset = shown(await visitor.session.open(await linkFor('codes@clinic.test')));
    const mara = await world.account(MARA.login);
    await visitor.session.submit(reset, {
      ...{ password: FRESH, username: MARA.login, email: MARA.login, login: MARA.login },
      ...{ account: mara.id, accountId: mara.id, sub: mara.id, organization: 'default' },
    });
    expect(await world.account(MARA.login)).to.deep.equal(mara);
    await world.visitor().signIn({ login: 'codes@clinic.test', password: FRESH });
  });

  it('W6 the last step alone does nothing', async () => {
    const visitor = world.visitor();
    const reset = await visitor.open('/forgot');
    const form = { ...formTo(reset, '/forgot'), action: `${world.server.url}/reset` };
    const mara = await world.account(MARA.login);
    for (const token of ['', mara.id, '[object Object]', 'null', `rst_${'A'.repeat(43)}`]) {
      const fields = { token, password: FRESH, login: MARA.login };
      const reply = shown(await visitor.session.submit(reset, fields, { form }));
      expect(reply.status).to.be.oneOf([400, 403]);
    }
    expect(await world.account(MARA.login)).to.deep.equal(mara);
  });

  it('W6 dies after an hour, and with the address that it was sent to', async () => {
    await registerAccount(world.server.running.identity, {
      organization: 'default',
      account: { email: 'moves@clinic.test', emailVerified: true },
    });
    await ask('moves@clinic.test');
    const link = await linkFor('moves@clinic.test');
    const { identity } = world.server.running;
    const token = new URL(link).searchParams.get('token') ?? '';
    const result = (seconds: number) => {
      const clock = { now: () => new Date(Date.now() + seconds * 1000) };
      return readLinkToken({ ...identity, clock }, { token, purpose: RESET });
    };
    expect(await result(3400)).to.not.equal(undefined);
    expect(await result(3601)).to.equal(undefined);
    await world.change('moves@clinic.test', (account) => ({ ...account, email: 'moved@clinic.test' }));
    expect(shown(await world.visitor().session.open(link)).status).to.equal(400);
  });

  it('F5 gives an unverified account to who has the mailbox, and to nobody who was there before', async () => {
    const { identity, stores, oidc } = world.server.running;
    const squatted = await registerAccount(identity, {
      organization: 'default',
      account: { email: 'owner@clinic.test', password: 'Squatter-Was-Here-77' },
    });
    await linkIdentity(identity, {
      accountId: squatted.id,
      issuer: 'https://accounts.google.com',
      subject: 's1',
    });
    const squatter = await world.signedIn({ login: 'owner@clinic.test', password: 'Squatter-Was-Here-77' });
    await ask('owner@clinic.test');
    const owner = world.visitor();
    const reset = shown(await owner.session.open(await linkFor('owner@clinic.test')));
    await owner.session.submit(reset, { password: FRESH });
    expect(await stores.identities.listByAccount(squatted.id)).to.deep.equal([]);
    expect(await oidc.accountAccess.listSessions(squatted.id)).to.deep.equal([]);
    expect(pathOf(await squatter.open('/account'))).to.match(/^\/interaction\//);
    expect(await world.account('owner@clinic.test')).to.include({ emailVerified: true });
  });

  it('W7 answers the same bytes to known, unknown, blocked and addressless, and to those who asked before', async () => {
    const looks = [];
    for (const login of [
      'n.okafor@ward.test',
      'nobody@clinic.test',
      'blocked@clinic.test',
      'lea@x.test',
      'n.okafor@ward.test',
    ]) {
      const page = await ask(login);
      looks.push({
        status: page.status,
        url: page.url,
        body: page.body,
        headers: [...page.headers].filter(([name]) => !/^(x-request-id|date|etag)$/.test(name)),
      });
    }
    for (const look of looks) expect(look).to.deep.equal(looks[0]);
    await world.server.running.identity.mailer.drain(30_000);
    const got = (email: string) => world.server.mail.emails.filter(({ to }) => to.includes(email)).length;
    expect(got('n.okafor@ward.test')).to.equal(2);
    expect(got('blocked@clinic.test')).to.equal(0);
    expect(got('lea@x.test')).to.equal(0);
  });

  it('B7 tells who asks for more than three emails in a quarter of an hour, known or not, and nobody else', async () => {
    const visitor = world.visitor('203.0.113.41');
    const page = await visitor.open('/forgot?organization=default');
    for (const login of ['chief@clinic.test', 'nobody-b7@clinic.test']) {
      const replies: Page[] = [];
      for (let i = 0; i < 4; i += 1)
        replies.push(shown(await visitor.session.submit(page, { login }, { form: formTo(page, '/forgot') })));
      expect(
        replies.map(({ status }) => status),
        login,
      ).to.deep.equal([200, 200, 200, 429]);
      const [over] = replies.slice(-1);
      expect(over && alertOf(over)).to.equal(
        'We cannot send more emails right now. Please try again in 15 minutes.',
      );
      expect(pathOf(await ask(login)), 'from elsewhere').to.equal('/forgot/sent');
    }
    await world.server.running.identity.mailer.drain(30_000);
    const chief = world.server.mail.emails.filter(({ to }) => to.includes('chief@clinic.test'));
    expect(chief).to.have.length(4);
  });

  it('W7 takes the same time for known and unknown', async function () {
    this.timeout(300_000);
    const samples = 300;
    const { identity } = world.server.running;
    for (let i = 0; i < numbersOf(samples); i += 1) {
      const account = { email: `known-${i}@time.test`, emailVerified: true };
      await registerAccount(identity, { organization: 'default', account });
    }
    const visitor = world.visitor();
    const form = formTo(await visitor.open('/forgot?organization=default'), '/forgot');
    const post = (kind: string) => async (i: number) => {
      const body = new URLSearchParams({ ...form.fields, login: `${kind}-${i}@time.test` });
      const headers = {
        'sec-fetch-site': 'same-origin',
        'x-forwarded-for': `10.${i % 250}.${kind.length}.1`,
      };
      const reply = await visitor.session.request(form.action, { method: 'POST', body, headers });
      expect(reply.status).to.equal(303);
      await reply.arrayBuffer();
    };
    const difference = await apart(samples, post('known'), post('unheard'));
    expect(difference).to.equal(undefined);
  });

  it('O5 writes no more than sixty letters for one client address in a quarter of an hour', async () => {
    const visitor = world.visitor('203.0.113.99');
    const form = formTo(await visitor.open('/forgot'), '/forgot');
    const statuses: number[] = [];
    let last: Response | undefined;
    for (let i = 0; i < 61; i += 1) {
      const body = new URLSearchParams({ ...form.fields, login: `spray-${i}@clinic.test` });
      last = await visitor.session.request(form.action, { method: 'POST', body });
      statuses.push(last.status);
    }
    expect(statuses.filter((status) => status === 303)).to.have.length(60);
    expect(last?.status).to.equal(429);
    expect(last?.headers.get('retry-after')).to.match(/^\d+$/);
  });

  it('S5 S7 takes its own form only, and shows hostile names as text', async () => {
    const visitor = world.visitor();
    const page = await visitor.open(`/forgot?login=${encodeURIComponent('"><svg onload=alert(1)>')}`);
    expect(page.body).to.not.contain('<svg onload');
    const form = formTo(page, '/forgot');
    for (const [fields, headers] of [
      [{ ...form.fields, form_token: 'guess' }, {}],
      [form.fields, { 'sec-fetch-site': 'cross-site' }],
      [form.fields, { origin: 'https://evil.test' }],
    ] as const) {
      const body = new URLSearchParams({ ...fields, login: MARA.login });
      const reply = await visitor.session.request(form.action, { method: 'POST', body, headers });
      expect(reply.status).to.equal(403);
    }
    const empty = shown(await visitor.session.submit(page, { login: ' ' }));
    expect(empty.status).to.equal(400);
    expect(alertOf(empty)).to.not.equal('');
  });
});
