/** Opening an account on the way to an app. */
import { expect } from 'chai';
import { registerAccount } from '../../../src/identity/accounts/create-account.ts';
import { clinicdevApp, nativeApp, webApp } from '../../support/clients.ts';
import { type RelyingParty, relyingParty } from '../../support/relying-party.ts';
import { apart, numbersOf } from '../../support/timing.ts';
import type { Page } from '../../support/web-session.ts';
import {
  type AccountWorld,
  alertOf,
  FRESH,
  formTo,
  MARA,
  pathOf,
  shown,
  startAccountWorld,
  type Visitor,
} from './account-world.ts';

describe('opening an account', () => {
  let world: AccountWorld;
  let party: RelyingParty;
  let calls = 0;

  before(async () => {
    world = await startAccountWorld();
    await world.openRegistration();
    party = await relyingParty(world.server.issuer);
  });
  after(() => world.server.close());

  /** At the form, in a browser of its own at an address of its own. */
  async function begin(): Promise<{
    visitor: Visitor;
    page: Page;
    started: Awaited<ReturnType<RelyingParty['begin']>>;
  }> {
    calls += 1;
    const visitor = world.visitor(`198.51.100.${calls % 250}`);
    const started = await party.begin();
    const signIn = shown(await visitor.session.open(started.url));
    const link = /href="(\/interaction\/[\w-]+\/register)"/.exec(signIn.body)?.[1];
    if (link === undefined) throw new Error('There is no link to register.');
    return { visitor, page: await visitor.open(link), started };
  }

  const apply = async (email: string, password = FRESH) => {
    const { visitor, page, started } = await begin();
    const next = shown(await visitor.session.submit(page, { email, name: 'Nia New', password }));
    return { visitor, page: next, started };
  };

  it('proves the address by a code, makes the account and goes on to the app', async () => {
    const { visitor, page, started } = await apply('Nia@New.test');
    expect(pathOf(page)).to.match(/\/register\/code$/);
    expect(await world.server.running.stores.accounts.byEmail('default', 'nia@new.test')).to.equal(undefined);
    const code = await world.codeFor('nia@new.test');
    // As people paste it.
    const consent = shown(
      await visitor.session.submit(page, { code: ` ${code.slice(0, 3)} ${code.slice(3)}\n` }),
    );
    const until = [webApp.redirectUri];
    const allow = consent.forms.find(({ fields }) => fields.decision === 'allow');
    const callback = await visitor.session.submit(consent, {}, { until, ...(allow && { form: allow }) });
    const tokens = await party.finish(started, String(callback));
    expect(tokens.claims()).to.deep.include({ amr: ['otp'], acr: 'urn:portico:acr:single' });
    const account = await world.account('nia@new.test');
    expect(account).to.include({ emailVerified: true, status: 'active' });
    expect(account.claims.name).to.equal('Nia New');
    expect(tokens.claims()?.sub).to.equal(account.id);
    const lines = await world.server.running.stores.audit.latest({ limit: 10, subject: account.id });
    expect(lines.map(({ event }) => event)).to.include.members(['account.register', 'sign-in']);
    await world.visitor().signIn({ login: 'nia@new.test', password: FRESH });
  });

  it('is offered at my account to people who sign in, and not to a person who signs in again', async () => {
    const visitor = world.visitor('198.51.100.251');
    const link = /href="\/interaction\/[\w-]+\/register"/;
    expect((await visitor.open('/account')).body).to.match(link);
    await visitor.signIn(MARA);
    const again = await visitor.open('/account/again?page=%2Faccount');
    expect(again.body).to.contain('Confirm it’s you to continue').and.to.not.match(link);
  });

  it('W7 tells nobody but the owner that an address has an account already', async () => {
    const taken = await apply(MARA.login);
    const free = await apply('free@new.test');
    const look = ({ page }: { page: Page }, email: string) => ({
      status: page.status,
      body: page.body
        .replaceAll(email, 'EMAIL')
        .replace(/\/interaction\/[\w-]+/g, '/interaction/UID')
        .replace(/name="form_token" value="[^"]+"/g, 'TOKEN'),
      headers: [...page.headers].filter(([name]) => !/^(x-request-id|date|content-length|etag)$/.test(name)),
    });
    expect(look(taken, MARA.login)).to.deep.equal(look(free, 'free@new.test'));
    const letter = await world.server.mail.take(MARA.login);
    expect(letter.subject).to.equal('You already have an account');
    expect(letter.text + letter.html).to.not.match(/\b\d{6}\b/);
    const refused = await taken.visitor.session.submit(taken.page, { code: '000000' });
    const wrong = await free.visitor.session.submit(free.page, { code: '000000' });
    expect(look({ page: shown(refused) }, MARA.login)).to.deep.equal(
      look({ page: shown(wrong) }, 'free@new.test'),
    );
  });

  it('W7 takes the same time for an address with an account and for one without', async function () {
    this.timeout(600_000);
    const samples = 300;
    const { identity } = world.server.running;
    const { visitor, page } = await begin();
    const form = formTo(page, /\/register$/);
    for (let i = 0; i < numbersOf(samples); i += 1) {
      await registerAccount(identity, {
        organization: 'default',
        account: { email: `known-${i}@time.test` },
      });
    }
    const ask = (kind: string) => async (i: number) => {
      const body = new URLSearchParams({ ...form.fields, email: `${kind}-${i}@time.test`, password: FRESH });
      const headers = {
        'sec-fetch-site': 'same-origin',
        'x-forwarded-for': `10.${i % 250}.${kind.length}.1`,
      };
      const reply = await visitor.session.request(form.action, { method: 'POST', body, headers });
      expect(reply.status).to.equal(303);
      await reply.arrayBuffer();
    };
    const difference = await apart(samples, ask('known'), ask('unheard'));
    expect(difference).to.equal(undefined);
  });

  it('W1 W2 says what is wrong with a password, and keeps what else was entered', async () => {
    const { visitor, page } = await begin();
    const submit = (from: Page, password: string) =>
      visitor.session.submit(from, { email: 'picky@new.test', name: 'Pia', password }).then(shown);
    const short = await submit(page, 'elevenchars');
    expect(short.status).to.equal(400);
    expect(alertOf(short)).to.contain('at least 12 characters');
    expect(short.body).to.contain('value="picky@new.test"').and.to.contain('value="Pia"');
    expect(short.body).to.not.contain('elevenchars');
    expect(alertOf(await submit(short, 'Password1234'))).to.contain('easy to guess');
    expect(alertOf(await submit(short, 'Default-Default-1'))).to.contain('easy to guess');
    expect(pathOf(await submit(short, 'twelve signs'))).to.match(/\/register\/code$/);
  });

  for (const [what, password] of [
    ['64 characters', `${'x9 '.repeat(21)}q`],
    ['128 characters', 'long and winding '.repeat(7).padEnd(128, 'z')],
    ['Unicode and spaces', 'grün 🦦 ärger 東京 night'],
  ] as const) {
    it(`W1 takes a password of ${what}, the whole of it`, async () => {
      const email = `w1-${what.length}@new.test`;
      const { visitor, page } = await apply(email, password);
      await visitor.session.submit(page, { code: await world.codeFor(email) });
      await world.visitor().signIn({ login: email, password });
      // Composed or not is one password (NFC); cut off is another.
      await world.visitor().signIn({ login: email, password: password.normalize('NFD') });
      const other = world.visitor();
      const again = await other.open('/account');
      const cut = shown(
        await other.session.submit(
          again,
          { login: email, password: password.slice(0, -1) },
          {
            form: formTo(again, /\/sign-in$/),
          },
        ),
      );
      expect(cut.status).to.equal(400);
    });
  }

  it('W4 refuses a password of more than 1 KiB', async () => {
    const { visitor, page } = await begin();
    const reply = shown(
      await visitor.session.submit(page, { email: 'long@new.test', password: 'é'.repeat(1000) }),
    );
    expect(reply.status).to.equal(400);
  });

  for (const email of [
    '',
    'nobody',
    'a@b',
    'a b@x.test',
    '"><svg onload=alert(1)>@x.test',
    'a@x.test\r\nBcc: b@x.test',
  ]) {
    it(`takes ${JSON.stringify(email)} for no address`, async () => {
      const { visitor, page } = await begin();
      const reply = shown(await visitor.session.submit(page, { email, password: FRESH }));
      expect(reply.status).to.equal(400);
      expect(alertOf(reply)).to.contain('a valid email address');
      expect(reply.body).to.not.contain('<svg onload');
    });
  }

  it('the last step alone leads to the first', async () => {
    const { visitor, page } = await begin();
    expect(pathOf(await visitor.open(`${pathOf(page)}/code`))).to.equal(pathOf(page));
    const form = { ...formTo(page, /\/register$/), action: `${page.url}/code` };
    const jumped = shown(await visitor.session.submit(page, { code: '123456', email: 'a@b.test' }, { form }));
    expect(pathOf(jumped)).to.equal(pathOf(page));
  });

  it('O4 kills a code after five wrong tries', async () => {
    const { visitor, page } = await apply('guess@new.test');
    const code = await world.codeFor('guess@new.test');
    const wrong = code === '111111' ? '222222' : '111111';
    for (let i = 0; i < 5; i += 1) {
      const reply = shown(await visitor.session.submit(page, { code: wrong }));
      expect(alertOf(reply)).to.contain('code');
    }
    expect(shown(await visitor.session.submit(page, { code })).status).to.equal(400);
    expect(await world.server.running.stores.accounts.byEmail('default', 'guess@new.test')).to.equal(
      undefined,
    );
  });

  it('O6 takes a code in the browser and the sign-in that asked for it alone', async () => {
    const mine = await apply('bound@new.test');
    const theirs = await apply('bound@new.test');
    const first = await world.codeFor('bound@new.test');
    const second = await world.codeFor('bound@new.test');
    for (const [at, code] of [
      [mine, second],
      [theirs, first],
    ] as const) {
      if (first === second) continue;
      expect(shown(await at.visitor.session.submit(at.page, { code })).status).to.equal(400);
    }
    const consent = shown(await mine.visitor.session.submit(mine.page, { code: first }));
    expect(consent.body).to.contain('asks for access');
  });

  it('O3 X4 makes one account of two registrations that finish together', async () => {
    const [one, two] = [await apply('twice@new.test'), await apply('twice@new.test')];
    const codes = [await world.codeFor('twice@new.test'), await world.codeFor('twice@new.test')];
    const replies = await Promise.all(
      [one, two].flatMap(({ visitor, page }) =>
        codes.map((code) => visitor.session.submit(page, { code }).then(shown)),
      ),
    );
    expect(replies.filter(({ body }) => body.includes('asks for access')).length).to.be.at.least(1);
    let created = 0;
    for await (const account of eachOf(world)) created += account.email === 'twice@new.test' ? 1 : 0;
    expect(created).to.equal(1);
  });

  it('sends another email, but not at once', async () => {
    const { visitor, page } = await apply('again@new.test');
    const form = formTo(page, /\/register\/again$/);
    const early = shown(await visitor.session.submit(page, {}, { form }));
    expect(early.status).to.equal(429);
    expect(early.headers.get('retry-after')).to.match(/^\d+$/);
  });

  it('B7 O5 sends twenty an hour to one mailbox at most, and who is over it is told, whoever has the address', async () => {
    const words: string[] = [];
    for (const email of ['flooded@new.test', 'dr@clinic.test']) {
      for (let i = 0; i < 20; i += 1) expect(pathOf((await apply(email)).page)).to.match(/\/register\/code$/);
      const { page } = await apply(email);
      expect(page.status, email).to.equal(429);
      words.push(alertOf(page));
    }
    expect(new Set(words)).to.deep.equal(
      new Set(['We cannot send more emails right now. Please try again in 60 minutes.']),
    );
    await world.server.running.identity.mailer.drain(30_000);
    expect(world.server.mail.emails.filter(({ to }) => to.includes('flooded@new.test'))).to.have.length(20);
  }).timeout(30_000);

  it('is not offered, and not there, where the organization does not allow it', async () => {
    const { stores } = world.server.running;
    const record = await stores.organizations.byId('default');
    if (record === undefined) throw new Error('No organization.');
    await stores.organizations.put({ ...record, registration: false });
    try {
      const visitor = world.visitor();
      const page = shown(await visitor.session.open((await party.begin()).url));
      expect(page.body).to.not.contain('Create an account');
      expect((await visitor.open(`${pathOf(page)}/register`)).status).to.equal(404);
      const form = { ...formTo(page, /\/sign-in$/), action: `${page.url}/register` };
      const sent = shown(
        await visitor.session.submit(page, { email: 'no@new.test', password: FRESH }, { form }),
      );
      expect(sent.status).to.equal(404);
    } finally {
      await stores.organizations.put(record);
    }
  });

  it('is decided by a client that says so itself', async () => {
    const { stores } = world.server.running;
    const client = await stores.clients.byId(nativeApp.clientId);
    const clinicdev = await stores.clients.byId(clinicdevApp.clientId);
    if (client === undefined || clinicdev === undefined) throw new Error('No client.');
    await stores.clients.put({ ...client, metadata: { ...client.metadata, registration: false } });
    await stores.clients.put({ ...clinicdev, metadata: { ...clinicdev.metadata, registration: true } });
    const native = await relyingParty(world.server.issuer, nativeApp);
    const { url } = await native.begin({ redirect_uri: 'http://127.0.0.1:4711/callback' });
    expect(shown(await world.visitor().session.open(url)).body).to.not.contain('Create an account');
    const other = await (await relyingParty(world.server.issuer, clinicdevApp)).begin();
    expect(shown(await world.visitor().session.open(other.url)).body).to.contain('Create an account');
  });

  it('L2 keeps password and code out of the log', async () => {
    const { visitor, page } = await apply('quiet@new.test', 'Very-Secret-Otter-Song-5');
    const code = await world.codeFor('quiet@new.test');
    await visitor.session.submit(page, { code });
    expect(world.server.logText()).to.not.contain('Very-Secret-Otter-Song-5');
    expect(world.server.logText()).to.not.contain(code);
  });
});

async function* eachOf({ server }: AccountWorld) {
  let after: string | undefined;
  while (true) {
    const page = await server.running.stores.accounts.page('default', {
      limit: 200,
      ...(after && { after }),
    });
    yield* page;
    if (page.length < 200) return;
    after = page.at(-1)?.id;
  }
}
