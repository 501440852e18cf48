/** One-time codes by email, at the hosted pages' channel. */
import { expect } from 'chai';
import { apart } from '../../support/timing.ts';
import { openWebSession } from '../../support/web-session.ts';
import { alertOf, type Channel, headingOf, look, MARA, openChannel, type Visit } from './sign-in-server.ts';

const CODES = 'codes@clinic.test';

describe('a sign-in code by email', () => {
  let channel: Channel;
  before(async () => {
    channel = await openChannel();
  });
  beforeEach(() => channel.later(1000));
  after(() => channel.close());

  async function asked(login = CODES): Promise<Visit> {
    return (await channel.begin()).press('/code/send', { login });
  }
  const wrongOf = (code: string) => String((Number(code) + 1) % 1_000_000).padStart(6, '0');

  it('O8 signs in, and tells the app that it was one factor: a code', async () => {
    const visit = await asked();
    expect(headingOf(visit.page)).to.equal('Check your email');
    await visit.press('/code', { code: await visit.code(CODES) });
    const claims = await visit.claims();
    expect(claims).to.include({ acr: 'urn:portico:acr:single', sub: (await channel.account(CODES))?.id });
    expect(claims.amr).to.deep.equal(['otp']);
  });

  it('O1 has six digits', async () => {
    const visit = await asked();
    expect(await visit.code(CODES)).to.match(/^\d{6}$/);
  });

  it('may be pasted with blanks and dashes, and is offered to number pads and mail programs', async () => {
    const visit = await asked();
    expect(visit.page.body)
      .to.match(/autocomplete="one-time-code"/)
      .and.to.match(/inputmode="numeric"/);
    const code = await visit.code(CODES);
    await visit.press('/code', { code: ` ${code.slice(0, 3)}-${code.slice(3)} ` });
    expect(visit.at).to.be.a('string');
  });

  it('is found by username too', async () => {
    await channel.make({ email: 'named@clinic.test', username: 'named' });
    const visit = await asked('named');
    await visit.press('/code', { code: await visit.code('named@clinic.test') });
    expect(visit.at).to.be.a('string');
  });

  it('O2 is good for ten minutes', async () => {
    const visit = await asked();
    const code = await visit.code(CODES);
    channel.later(601);
    await visit.press('/code', { code });
    expect(visit.page.status).to.equal(400);
    expect(alertOf(visit.page)).to.contain('wrong or has expired');
  });

  it('O2 a newer one ends the older', async () => {
    const visit = await asked();
    const older = await visit.code(CODES);
    channel.later(31);
    await visit.press('/code/send');
    const newer = await visit.code(CODES);
    await visit.press('/code', { code: older === newer ? wrongOf(newer) : older });
    expect(visit.page.status).to.equal(400);
    await visit.press('/code', { code: newer });
    expect(visit.at).to.be.a('string');
  });

  it('O3 fifty right answers at the same time make one session', async () => {
    const visit = await asked();
    const { page, session } = visit;
    const form = page.forms.find(({ action }) => action.endsWith('/code'));
    if (form === undefined) throw new Error('no form');
    const body = new URLSearchParams({ ...form.fields, code: await visit.code(CODES) });
    const headers = { origin: channel.server.url, 'sec-fetch-site': 'same-origin' };
    const subject = (await channel.account(CODES))?.id ?? '';
    const signIns = async () => {
      const lines = await channel.server.running.stores.audit.latest({ limit: 200, subject });
      return lines.filter(({ event, outcome }) => event === 'sign-in' && outcome === 'success').length;
    };
    const before = await signIns();
    const replies = await Promise.all(
      Array.from({ length: 50 }, () => session.request(form.action, { method: 'POST', body, headers })),
    );
    // One winner; who came after it is sent where it was sent.
    expect(new Set(replies.map(({ status }) => status))).to.deep.equal(new Set([303]));
    const to = new Set(
      replies.map((reply) => new URL(reply.headers.get('location') ?? '', form.action).href),
    );
    expect(to.size).to.equal(1);
    expect(await signIns()).to.equal(before + 1);
    visit.at = await session.open([...to][0] ?? '', [channel.party.client.redirectUri]);
    expect(visit.at).to.be.a('string');
  }).timeout(30_000);

  it('O4 is dead after five wrong ones, with the right one too', async () => {
    const visit = await asked();
    const code = await visit.code(CODES);
    for (let tries = 0; tries < 5; tries += 1) {
      await visit.press('/code', { code: wrongOf(code) });
      expect(visit.page.status).to.equal(400);
    }
    await visit.press('/code', { code });
    expect(visit.page.status).to.equal(400);
  });

  it('O5 asking again and again gives no new budget of guesses', async () => {
    const visit = await asked('dr@clinic.test');
    const statuses: number[] = [];
    for (let round = 0; round < 3; round += 1) {
      const code = await visit.code('dr@clinic.test');
      for (let tries = 0; tries < 4; tries += 1) {
        await visit.press('/code', { code: wrongOf(code) });
        statuses.push(visit.page.status);
      }
      channel.later(31);
      if (round < 2) await visit.press('/code/send');
    }
    expect(statuses).to.deep.equal([...Array.from({ length: 10 }, () => 400), 429, 429]);
    expect(visit.page.headers.get('retry-after')).to.match(/^\d+$/);
  });

  it('B7 O5 a stranger uses up its own share of the emails; who is over it is told, known or not', async () => {
    const at = (address: string) => openWebSession({ headers: { 'x-forwarded-for': address } });
    const ask = async (address: string, login: string) =>
      (await channel.begin({}, at(address))).press('/code/send', { login });
    const replies: string[] = [];
    for (const email of ['chief@clinic.test', 'nobody-b7@clinic.test']) {
      for (let i = 0; i < 5; i += 1)
        expect(headingOf((await ask('203.0.113.70', email)).page)).to.equal('Check your email');
      const over = await ask('203.0.113.70', email);
      // Asked again in the same interaction, it still claims to have sent nothing.
      for (const visit of [over, await over.press('/code/send', { login: email })]) {
        expect(visit.page.status, email).to.equal(429);
        expect(Number(visit.page.headers.get('retry-after'))).to.be.within(500, 600);
        replies.push(alertOf(visit.page));
      }
      expect(headingOf((await ask('203.0.113.71', email)).page)).to.equal('Check your email');
    }
    expect(new Set(replies)).to.deep.equal(
      new Set(['We cannot send more emails right now. Please try again in 10 minutes.']),
    );
    await channel.server.running.identity.mailer.drain(30_000);
    const chief = channel.server.mail.emails.filter(({ to }) => to.includes('chief@clinic.test'));
    expect(chief).to.have.length(6);
  });

  it("B7 a stranger's request for a code leaves the person's good, and its wrong codes too", async () => {
    const person = await asked();
    const code = await person.code(CODES);
    const stranger = await asked();
    const other = await stranger.code(CODES);
    for (let i = 0; i < 5; i += 1) await stranger.press('/code', { code: wrongOf(other) });
    await person.press('/code', { code });
    expect(person.at).to.be.a('string');
  });

  it('O5 one address cannot have emails sent to everybody', async () => {
    const visit = await channel.begin();
    const first = visit.page;
    let status = 0;
    for (let i = 0; i < 101; i += 1) {
      visit.at = first;
      await visit.press('/code/send', { login: `nobody-${i}@clinic.test` });
      status = visit.page.status;
    }
    expect(status).to.equal(429);
  }).timeout(30_000);

  it('O6 works in the interaction that asked for it alone', async () => {
    const [asking, other] = [await asked(), await asked('nobody-at-all@clinic.test')];
    const code = await asking.code(CODES);
    const third = await (await channel.begin()).press('/code/send', { login: 'nobody-at-all@clinic.test' });
    for (const visit of [other, third]) {
      await visit.press('/code', { code });
      expect(visit.page.status).to.equal(400);
    }
    await asking.press('/code', { code });
    expect(asking.at).to.be.a('string');
  });

  it('O6 of one browser does not work for the same person in another', async () => {
    const asking = await asked();
    const code = await asking.code(CODES);
    // The other browser asks too, within the quota; its own code is the newest one then.
    const other = await asked();
    await other.code(CODES);
    await other.press('/code', { code });
    expect(other.page.status).to.equal(400);
  });

  it('O7 is a text of digits, and stands neither in a page, an address nor the log', async () => {
    const visit = await asked();
    const code = await visit.code(CODES);
    for (const value of [`["${code}"]`, `{"$gt":""}`, `${code}0`, '']) {
      await visit.press('/code', { code: value });
      expect(visit.page.status, value).to.be.oneOf([400, 429]);
      expect(visit.page.body.replace(/[\w-]{20,}/g, '')).to.not.contain(code);
    }
    expect(channel.server.logText()).to.not.match(new RegExp(`"code":"?${code}`));
  });

  it('W7 looks the same for who is not there, has no address, or may not sign in', async () => {
    await channel.make({ email: 'barred@clinic.test', status: 'blocked' });
    const logins = ['codes@clinic.test', 'nobody@clinic.test', 'barred@clinic.test', '+15550100'];
    const sent = await Promise.all(logins.map(async (login) => look((await asked(login)).page, login)));
    for (const page of sent) expect(page).to.deep.equal(sent[0]);
    const refused = await Promise.all(
      logins.map(async (login) => {
        const visit = await asked(login);
        return look((await visit.press('/code', { code: 'x12345' })).page, login);
      }),
    );
    for (const page of refused) expect(page).to.deep.equal(refused[0]);
    expect(channel.server.mail.waiting('barred@clinic.test')).to.deep.equal([]);
  });

  it('W7 takes the same time for who is there and who is not', async () => {
    // Emails stay in memory here: a mail server in this process would be timed with the pages.
    const quiet = await openChannel({ config: { mail: { kind: 'mailbox' } } });
    const ask = async (login: string) => {
      const visit = await (await quiet.begin()).press('/code/send', { login });
      expect(headingOf(visit.page)).to.equal('Check your email');
      // Within the quota of the mailbox, so that an email is due each time.
      quiet.later(150);
    };
    try {
      const difference = await apart(
        80,
        () => ask(MARA.login),
        (i) => ask(`nobody-${i}@clinic.test`),
      );
      expect(difference).to.equal(undefined);
    } finally {
      await quiet.close();
    }
  }).timeout(300_000);

  it('can be asked for again after half a minute, and the page says how long that is', async () => {
    const visit = await asked();
    await visit.code(CODES);
    expect(visit.page.body).to.contain('data-left="30"');
    await visit.press('/code/send');
    expect(visit.page.status).to.equal(429);
    expect(alertOf(visit.page)).to.match(/new code in \d+ seconds/);
    channel.later(31);
    await visit.press('/code/send');
    expect(visit.page.body).to.contain('We sent a new code');
    await visit.press('/code', { code: await visit.code(CODES) });
    expect(visit.at).to.be.a('string');
  });

  it('shows the same page after a reload, and sends nothing by it', async () => {
    const visit = await asked();
    await visit.code(CODES);
    const emails = channel.server.mail.emails.length;
    const again = await visit.session.open(visit.page.url);
    expect(typeof again === 'string' ? '' : headingOf(again)).to.equal('Check your email');
    await channel.server.running.identity.mailer.drain(30_000);
    expect(channel.server.mail.emails.length).to.equal(emails);
  });

  it('lets a person who mistyped begin again at once', async () => {
    const visit = await asked('coeds@clinic.test');
    await visit.press('/another');
    expect(headingOf(visit.page)).to.equal('Sign in');
    await visit.press('/code/send', { login: CODES });
    await visit.press('/code', { code: await visit.code(CODES) });
    expect(visit.at).to.be.a('string');
  });

  it('asks for a name when there is none', async () => {
    const visit = await asked('  ');
    expect(visit.page.status).to.equal(400);
    expect(alertOf(visit.page)).to.equal('Please enter your email or username.');
  });

  it('F5 of an unverified address takes away what a squatter had made', async () => {
    const email = 'squatted@clinic.test';
    const { passwordHash } = (await channel.account(MARA.login)) ?? {};
    const squatted = await channel.make({
      email,
      emailVerified: false,
      ...(passwordHash && { passwordHash }),
    });
    const squatter = await (await channel.begin()).press('/sign-in', {
      login: email,
      password: MARA.password,
    });
    expect(squatter.at).to.be.a('string');
    const owner = await asked(email);
    await owner.press('/code', { code: await owner.code(email) });
    expect((await owner.claims()).sub).to.equal(squatted.id);
    const after = await channel.account(email);
    expect(after).to.include({ emailVerified: true });
    expect(after?.passwordHash).to.equal(undefined);
    const back = await channel.begin({}, squatter.session);
    expect(headingOf(back.page)).to.equal('Sign in');
  });
});
