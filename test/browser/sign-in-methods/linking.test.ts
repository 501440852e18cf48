/** Whose account an upstream's person is: by itself only where the upstream can know; else the person proves it. */
import { expect } from 'chai';
import { giveApp } from '../../support/authenticator-app.ts';
import type { ProviderName } from '../../support/upstream.ts';
import { alertOf, type Channel, headingOf, MARA, openChannel, type Visit } from './sign-in-server.ts';

type Outcome = 'linked' | 'reclaimed' | 'asked' | 'asked-for-code';

interface Row {
  readonly upstream: 'gmail' | 'hd' | 'other';
  readonly verified: boolean;
  readonly local: boolean;
  readonly outcome: Outcome;
}

/** F4: {gmail, hd, other}; N16: for an entry of the configuration, {trusted, trusted too, other} x {verified there, not} x {verified here, not}. */
const TABLE: readonly Row[] = [
  { upstream: 'gmail', verified: true, local: true, outcome: 'linked' },
  { upstream: 'gmail', verified: true, local: false, outcome: 'reclaimed' },
  { upstream: 'gmail', verified: false, local: true, outcome: 'asked' },
  { upstream: 'gmail', verified: false, local: false, outcome: 'asked-for-code' },
  { upstream: 'hd', verified: true, local: true, outcome: 'linked' },
  { upstream: 'hd', verified: true, local: false, outcome: 'reclaimed' },
  { upstream: 'hd', verified: false, local: true, outcome: 'asked' },
  { upstream: 'hd', verified: false, local: false, outcome: 'asked-for-code' },
  { upstream: 'other', verified: true, local: true, outcome: 'asked' },
  { upstream: 'other', verified: true, local: false, outcome: 'asked-for-code' },
  { upstream: 'other', verified: false, local: true, outcome: 'asked' },
  { upstream: 'other', verified: false, local: false, outcome: 'asked-for-code' },
];

const DOMAINS = { gmail: 'gmail.com', hd: 'hosted.test', other: 'elsewhere.test' };

describe('linking an upstream identity', () => {
  let channel: Channel;
  let people = 0;
  before(async () => {
    channel = await openChannel({ federation: ({ everyone }) => everyone });
  });
  after(() => channel.close());

  /** Somebody at Google, and an account here with the same address and Mara's password. */
  async function pair({ upstream, verified, local }: Omit<Row, 'outcome'>) {
    people += 1;
    const email = `linked-${people}@${DOMAINS[upstream]}`;
    const { passwordHash } = (await channel.account(MARA.login)) ?? {};
    const account = await channel.make({
      email,
      emailVerified: local,
      ...(passwordHash && { passwordHash }),
    });
    const hd = upstream === 'hd' ? { hd: 'hosted.test' } : {};
    const person = { sub: `google-${people}`, email, email_verified: verified, ...hd };
    return { email, account, person };
  }
  const asked = { upstream: 'other', verified: true, local: true } as const;
  const come = async (person: Record<string, unknown>, provider: ProviderName = 'google') =>
    (await channel.begin()).with(provider, person);
  const linksOf = (id: string) => channel.server.running.stores.identities.listByAccount(id);

  function outcomeOf(visit: Visit): Outcome {
    if (typeof visit.at === 'string') return 'linked';
    expect(headingOf(visit.page)).to.equal('You already have an account');
    return visit.page.forms.some(({ names }) => names.includes('password')) ? 'asked' : 'asked-for-code';
  }

  for (const [provider, id] of [
    ['google', 'F4'],
    ['keycloak', 'N16'],
    ['entra', 'N16'],
  ] as const) {
    for (const { outcome, ...row } of TABLE) {
      const words = `${row.upstream}, ${row.verified ? 'verified' : 'not verified'} there, ${row.local ? 'verified' : 'not verified'} here`;
      it(`${id} ${provider}: ${words}: ${outcome}`, async () => {
        const { email, account, person } = await pair(row);
        const visit = await come(person, provider);
        if (outcome === 'linked' || outcome === 'reclaimed') {
          expect((await visit.claims()).sub).to.equal(account.id);
          const now = await channel.account(email);
          expect(now?.emailVerified).to.equal(true);
          expect(now?.passwordHash === undefined).to.equal(outcome === 'reclaimed');
          expect(await linksOf(account.id)).to.have.length(1);
          return;
        }
        expect(outcomeOf(visit)).to.equal(outcome);
        expect(await linksOf(account.id)).to.deep.equal([]);
        await visit.press('/code/send');
        await visit.press('/code', { code: await visit.code(email) });
        expect((await visit.claims()).sub).to.equal(account.id);
        expect(await linksOf(account.id)).to.have.length(1);
        // From now on the upstream is enough.
        expect((await (await come(person, provider)).claims()).sub).to.equal(account.id);
      });
    }
  }

  it('F4 O8 links with the person’s own password, and says so: amr has both, which are not two kinds of proof', async () => {
    const { account, person } = await pair(asked);
    const visit = await (await come(person)).press('/password', { password: MARA.password });
    const claims = await visit.claims();
    expect(claims.sub).to.equal(account.id);
    expect(claims.amr).to.have.members(['fed', 'pwd']);
    expect(claims.acr).to.equal('urn:portico:acr:single');
    expect(await linksOf(account.id)).to.have.length(1);
  });

  it('N9 N19 links an account that has a second factor with that alone: neither its password nor its mailbox will do', async () => {
    for (const proof of ['password', 'code']) {
      const { account, email, person } = await pair(asked);
      const app = await giveApp(channel.server.running.identity, account.id);
      channel.later(60);
      const visit = await come(person);
      if (proof === 'password') await visit.press('/password', { password: MARA.password });
      else {
        await visit.press('/code/send');
        await visit.press('/code', { code: await visit.code(email) });
      }
      expect(headingOf(visit.page)).to.equal('Confirm it’s you');
      expect(await linksOf(account.id)).to.deep.equal([]);
      await visit.press('/app-code', { code: '000000' });
      expect(await linksOf(account.id)).to.deep.equal([]);
      await visit.press('/app-code', { code: app.code() });
      expect(await visit.claims()).to.include({ sub: account.id });
      expect(await linksOf(account.id)).to.have.length(1);
    }
  });

  it('N7 no first proof leads past a required factor, before or after one is set up', async () => {
    const { organizations } = channel.server.running.stores;
    const before = (await organizations.byId('default')) ?? expect.fail();
    const since = '2020-01-01T00:00:00Z';
    await organizations.put({ ...before, factors: { require: 'required', since, graceDays: 0 } });
    // Organizations are read every few seconds.
    channel.later(10);
    const { account, email, person } = await pair({ upstream: 'gmail', verified: true, local: true });
    const ways: Record<string, () => Promise<Visit>> = {
      password: async () =>
        (await channel.begin()).press('/sign-in', { login: email, password: MARA.password }),
      code: async () => {
        const visit = await (await channel.begin()).press('/code/send', { login: email });
        return visit.press('/code', { code: await visit.code(email) });
      },
      upstream: () => come(person),
    };
    const skips = ['', '/factor/later', '/factor/go-on', '/account', '/passkey', '/app-code'];
    for (const heading of ['Protect your sign-in', 'Confirm it’s you']) {
      for (const [name, way] of Object.entries(ways)) {
        const { page, session } = await way();
        expect(headingOf(page), name).to.equal(heading);
        const [form] = page.forms;
        const uid = /\/interaction\/[\w-]+/.exec(form?.action ?? '')?.[0] ?? '';
        for (const step of skips) {
          const action = `${channel.server.issuer}${uid}${step}`;
          const options = {
            until: [channel.party.client.redirectUri],
            ...(form && { form: { ...form, action } }),
          };
          expect(await session.submit(page, {}, options), `${name} ${step}`).to.not.be.a('string');
        }
        const { at } = await channel.begin({ prompt: 'none' }, session);
        expect(new URL(String(at)).searchParams.get('error'), name).to.equal('login_required');
      }
      if (heading === 'Protect your sign-in') await giveApp(channel.server.running.identity, account.id);
    }
    await organizations.put(before);
    channel.later(10);
  });

  it('F4 no password links where the organization takes none; a code does', async () => {
    const { account, email, person } = await pair(asked);
    const { organizations } = channel.server.running.stores;
    const waiting = await come(person);
    const before = await organizations.byId('default');
    if (before === undefined) throw new Error('There is no organization.');
    await organizations.put({ ...before, branding: { ways: ['google'] } });
    const refused = await waiting.press('/password', { password: MARA.password });
    const visit = await come(person);
    await organizations.put(before);
    expect(refused.page.status).to.equal(403);
    expect(await linksOf(account.id)).to.deep.equal([]);
    expect(visit.page.forms.flatMap(({ names }) => names)).not.to.include('password');
    await visit.press('/code/send');
    await visit.press('/code', { code: await visit.code(email) });
    expect(await visit.claims()).to.include({ sub: account.id });
  });

  it('O8 an upstream’s word is no second proof: an app that asks for two gets password and code', async () => {
    const { account, email, person } = await pair({ ...asked, upstream: 'gmail' });
    const first = await come(person);
    expect(await first.claims()).to.include({ sub: account.id, acr: 'urn:portico:acr:single' });
    const visit = await channel.begin({ acr_values: 'urn:portico:acr:stepup' }, first.session);
    expect(headingOf(visit.page)).to.equal('Confirm it’s you');
    await visit.press('/password', { password: MARA.password });
    expect(headingOf(visit.page)).to.equal('Check your email');
    await visit.press('/code', { code: await visit.code(email) });
    const claims = await visit.claims();
    expect(claims.acr).to.equal('urn:portico:acr:stepup');
    expect(claims.amr).to.have.members(['fed', 'pwd', 'otp']);
  });

  it('F4 does not link with a wrong password, and counts it', async () => {
    const { account, person } = await pair(asked);
    const visit = await come(person);
    const statuses: number[] = [];
    for (let tries = 0; tries < 11; tries += 1) {
      await visit.press('/password', { password: `Wrong-Password-${tries}` });
      statuses.push(visit.page.status);
    }
    expect(statuses).to.deep.equal([...Array.from({ length: 10 }, () => 400), 429]);
    expect(alertOf(visit.page)).to.contain('Too many attempts');
    expect(await linksOf(account.id)).to.deep.equal([]);
  });

  it('F4 for an address that nobody has proven, the password of whoever set it does not count', async () => {
    const { account, person } = await pair({ ...asked, local: false });
    const visit = await come(person);
    const form = visit.page.forms[0];
    if (form === undefined) throw new Error('no form');
    const action = form.action.replace(/\/another$|\/code\/send$/, '/password');
    visit.at = await visit.session.submit(
      visit.page,
      { password: MARA.password },
      { form: { ...form, action } },
    );
    expect(visit.page.status).to.equal(400);
    expect(await linksOf(account.id)).to.deep.equal([]);
  });

  it('F5 the code that links an unproven address takes away password, sessions and links of the squatter', async () => {
    const { email, account, person } = await pair({ ...asked, local: false });
    const squatter = await (await channel.begin()).press('/sign-in', {
      login: email,
      password: MARA.password,
    });
    expect(squatter.at).to.be.a('string');
    const { identities } = channel.server.running.stores;
    const link = { organization: 'default', issuer: 'https://squat.test', subject: 'squatter' };
    await identities.link({ ...link, accountId: account.id, createdAt: new Date() });
    const owner = await (await come(person)).press('/code/send');
    await owner.press('/code', { code: await owner.code(email) });
    expect(owner.at).to.be.a('string');
    expect((await linksOf(account.id)).map(({ subject }) => subject)).to.deep.equal([person.sub]);
    expect((await channel.account(email))?.passwordHash).to.equal(undefined);
    expect(headingOf((await channel.begin({}, squatter.session)).page)).to.equal('Sign in');
  });

  it('O6 a code for signing in does not link, and one for linking does not sign in', async () => {
    const { email, account, person } = await pair(asked);
    const signing = await (await channel.begin()).press('/code/send', { login: email });
    const signInCode = await signing.code(email);
    const linking = await (await come(person)).press('/code/send');
    const linkCode = await linking.code(email);
    await linking.press('/code', { code: signInCode });
    expect(linking.page.status).to.equal(400);
    await signing.press('/code', { code: linkCode });
    expect(signing.page.status).to.equal(400);
    expect(await linksOf(account.id)).to.deep.equal([]);
  });

  it('F7 whoever signs in as somebody else while a link waits is not linked', async () => {
    const { account, person } = await pair(asked);
    const visit = await (await come(person)).press('/another', { to: 'account' });
    await visit.press('/sign-in', MARA);
    const { sub } = await visit.claims();
    expect(sub).to.equal((await channel.account(MARA.login))?.id);
    expect(await linksOf(String(sub))).to.deep.equal([]);
    expect(await linksOf(account.id)).to.deep.equal([]);
  });

  it('F7 a link is asked for in the browser that came from the upstream, and by our own page', async () => {
    const { account, person } = await pair(asked);
    const visit = await come(person);
    const action = `${visit.page.url.replace(/\/arrived.*/, '')}/password`;
    const body = new URLSearchParams({ ...visit.page.forms[0]?.fields, password: MARA.password });
    const foreign = { origin: 'https://evil.test', 'sec-fetch-site': 'cross-site' };
    const fromElsewhere = await visit.session.request(action, { method: 'POST', body, headers: foreign });
    expect(fromElsewhere.status).to.equal(403);
    const other = await channel.begin();
    const ownOrigin = { origin: channel.server.url, 'sec-fetch-site': 'same-origin' };
    const otherBrowser = await other.session.request(action, { method: 'POST', body, headers: ownOrigin });
    expect(otherBrowser.status).to.equal(403);
    expect(await linksOf(account.id)).to.deep.equal([]);
  });

  it('F3 an address that moved to another person at the upstream does not move the account', async () => {
    const { account, person } = await pair({ upstream: 'gmail', verified: true, local: true });
    await come(person);
    const stranger = await come({ ...person, sub: 'the-next-owner', email: 'new-address@elsewhere.test' });
    expect(stranger.page.status).to.equal(403);
    const renamed = await come({ ...person, email: 'renamed@elsewhere.test' });
    expect((await renamed.claims()).sub).to.equal(account.id);
  });

  it('L1 writes that it linked, and who was refused', async () => {
    const { account, person } = await pair(asked);
    await (await come(person)).press('/password', { password: MARA.password });
    const lines = await channel.server.running.stores.audit.latest({ limit: 10, subject: account.id });
    expect(lines.map(({ event }) => event)).to.include.members(['identity.link', 'sign-in']);
  });
});
