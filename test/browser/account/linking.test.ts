/** Linking a sign-in with Google or Apple on the account pages, and what is not linked. */
import { expect } from 'chai';
import type { ProviderName } from '../../support/upstream.ts';
import type { Form, Page } from '../../support/web-session.ts';
import { type Answer, answerOf, deliver } from '../sign-in-methods/sign-in-server.ts';
import {
  type AccountWorld,
  alertOf,
  CHIEF,
  DOCTOR,
  formTo,
  MARA,
  PATIENT,
  pathOf,
  shown,
  startAccountWorld,
  type Visitor,
} from './account-world.ts';

const PAGE = '/account/sign-ins';

describe('linking a sign-in on the account pages', () => {
  let world: AccountWorld;
  let moved = 0;

  before(async () => {
    world = await startAccountWorld({ clock: { now: () => new Date(Date.now() + moved) } });
  });
  beforeEach(() => {
    moved = 0;
    world.server.upstream.setDown(false);
  });
  after(() => world.server.close());

  const linksOf = async (login: string) => {
    const links = await world.server.running.stores.identities.listByAccount((await world.account(login)).id);
    return links.map(({ subject }) => subject);
  };
  const buttonFor = (page: Page, provider: ProviderName) => {
    const form = page.forms.find(({ fields }) => fields.provider === provider);
    if (form === undefined) throw new Error(`No button for ${provider}:\n${page.body}`);
    return form;
  };
  /** To the upstream by a form of the page: what it would answer with. */
  async function follow({ session }: Visitor, page: Page, form: Form) {
    const left = shown(await session.submit(page, {}, { form }));
    const [, url = ''] = (left.headers.get('refresh') ?? '').split('url=');
    return { url, answer: await answerOf(url) };
  }
  async function leave(visitor: Visitor, provider: ProviderName, person: Record<string, unknown> | 'denied') {
    world.server.upstream.nextPerson(provider, person);
    const page = await visitor.open(PAGE);
    return follow(visitor, page, buttonFor(page, provider));
  }
  /** By a sign-in page. */
  async function leaveToSignIn(visitor: Visitor, page: Page, provider: ProviderName, sub: string) {
    world.server.upstream.nextPerson(provider, { sub });
    return follow(visitor, page, formTo(page, new RegExp(`/with/${provider}$`)));
  }
  /** Brings the answer to the callback: the address that the browser is sent to. */
  async function park({ callback, parameters }: Answer): Promise<string> {
    const reply = await fetch(`${callback}?${parameters}`, { redirect: 'manual' });
    return new URL(reply.headers.get('location') ?? '', callback).href;
  }

  it('N19 links both, by audit and email, and the next sign-in with either is this account’s', async () => {
    const { running, mail } = world.server;
    const visitor = await world.signedIn(MARA);
    const { id } = await world.account(MARA.login);
    for (const provider of ['google', 'apple'] as const) {
      const sub = `maras-${provider}`;
      const person = { sub, email: 'somewhere@else.test', email_verified: true };
      const { url, answer } = await leave(visitor, provider, person);
      if (provider === 'google') expect(url, 'the person chooses there').to.contain('prompt=select_account');
      const done = shown(await deliver(visitor.session, answer));
      expect(done.url).to.contain('done=linked');
      expect(done.body).to.contain('The account is linked.');
      expect((await mail.take(MARA.login)).subject).to.equal('An account was linked to yours');
      const known = await running.stores.identities.find(
        'default',
        world.server.upstream.issuers[provider],
        sub,
      );
      expect(known?.accountId).to.equal(id);
      const anew = world.visitor();
      const next = await leaveToSignIn(anew, await anew.open('/account'), provider, sub);
      const home = shown(await deliver(anew.session, next.answer));
      expect(pathOf(home)).to.equal('/account');
      expect(home.body).to.contain(MARA.login);
    }
    const events = await running.stores.audit.latest({ limit: 20, subject: id });
    expect(events.filter(({ event }) => event === 'identity.link')).to.have.length(2);
    const { email } = await world.account(MARA.login);
    expect(email, 'the address stays').to.equal(MARA.login);
    const page = await visitor.open(PAGE);
    const gone = shown(await visitor.session.submit(page, {}, { form: formTo(page, `${PAGE}/unlink`) }));
    expect(gone.url).to.contain('done=unlinked');
    expect((await mail.take(MARA.login)).subject).to.equal('An account was unlinked from yours');
  });

  it('N19 never ends in another browser, session or account, nor twice', async () => {
    const visitor = await world.signedIn(DOCTOR);
    const { answer } = await leave(visitor, 'google', { sub: 'the-doctors' });
    const arrival = await park(answer);
    expect(new URL(arrival).pathname).to.equal(`${PAGE}/arrived`);
    // The answer of one person, in the browsers of others: of a stranger, of another person, of the same one elsewhere.
    const [stranger, other, elsewhere] = [
      world.visitor(),
      await world.signedIn(CHIEF),
      await world.signedIn(DOCTOR),
    ];
    expect(pathOf(shown(await stranger.session.open(arrival)))).to.match(/^\/interaction\//);
    for (const browser of [other, elsewhere])
      expect(shown(await browser.session.open(arrival)).status).to.equal(403);
    expect([...(await linksOf(DOCTOR.login)), ...(await linksOf(CHIEF.login))]).to.deep.equal([]);
    // A program that looks ahead uses nothing up.
    await visitor.session.request(arrival, { method: 'HEAD' });
    expect(shown(await visitor.session.open(arrival)).url).to.contain('done=linked');
    expect(shown(await visitor.session.open(arrival)).url).to.equal(`${world.server.url}${PAGE}`);
    expect(shown(await deliver(visitor.session, answer)).status).to.equal(410);
    expect(await linksOf(DOCTOR.login)).to.deep.equal(['the-doctors']);
  });

  it('N19 is over with the session that left, and an answer of a sign-in links nothing', async () => {
    const visitor = await world.signedIn(CHIEF);
    const { answer } = await leave(visitor, 'google', { sub: 'the-chiefs' });
    const access = await visitor.open('/account/access');
    await visitor.session.submit(access, {}, { form: formTo(access, '/account/access/session') });
    await visitor.signIn(CHIEF);
    expect(shown(await deliver(visitor.session, answer)).status).to.equal(403);
    // Of a sign-in in the same browser.
    const again = shown(await visitor.session.open(`${world.server.url}/account/again?page=${PAGE}`));
    const ofSignIn = await leaveToSignIn(visitor, again, 'google', 'the-chiefs');
    const { search } = new URL(await park(ofSignIn.answer));
    const page = shown(await visitor.session.open(`${world.server.url}${PAGE}/arrived${search}`));
    expect(pathOf(page)).to.equal(PAGE);
    expect(await linksOf(CHIEF.login)).to.deep.equal([]);
  });

  it('N19 begins from no other site, and only after a sign-in of the last minutes', async () => {
    const visitor = await world.signedIn(PATIENT);
    const page = await visitor.open(PAGE);
    const { action, fields } = buttonFor(page, 'google');
    const post = (form: Record<string, string>, headers: Record<string, string>) =>
      visitor.session.request(action, { method: 'POST', body: new URLSearchParams(form), headers });
    const own = { origin: world.server.url, 'sec-fetch-site': 'same-origin' };
    const stolen = buttonFor(await (await world.signedIn(PATIENT)).open(PAGE), 'google').fields;
    const tries = [
      await post(fields, { origin: 'https://evil.test', 'sec-fetch-site': 'cross-site' }),
      await post({ provider: 'google' }, own),
      await post(stolen, own),
    ];
    expect(tries.map(({ status }) => status)).to.deep.equal([403, 403, 403]);
    moved = 11 * 60_000;
    const late = await post(fields, own);
    expect(late.headers.get('location')).to.contain('/authorize?').and.to.contain('prompt=login');
    const old = await visitor.open(PAGE);
    expect(old.forms.filter(({ fields }) => 'provider' in fields)).to.deep.equal([]);
    expect(old.body).to.contain(`/account/again?page=${encodeURIComponent(PAGE)}`);
    moved = 0;
    // Nor by a password alone where the account has a second factor.
    const app = { salt: 'c2FsdA', step: 0, createdAt: new Date().toISOString() };
    await world.change(PATIENT.login, (account) => ({ ...account, factors: { app } }));
    expect((await post(fields, own)).headers.get('location')).to.contain('/authorize?');
    await world.change(PATIENT.login, ({ factors: _app, ...account }) => account);
    const unknown = shown(
      await visitor.session.submit(page, { provider: 'nobody' }, { form: buttonFor(page, 'google') }),
    );
    expect(pathOf(unknown)).to.equal(PAGE);
    expect(await linksOf(PATIENT.login)).to.deep.equal([]);
  });

  it('N19 says so where the upstream’s account is another person’s, says no, is down or is not to be believed', async () => {
    const [mara, patient] = [await world.signedIn(MARA), await world.signedIn(PATIENT)];
    const first = await leave(mara, 'google', { sub: 'taken' });
    expect(shown(await deliver(mara.session, first.answer)).url).to.contain('done=linked');
    const taken = await leave(patient, 'google', { sub: 'taken' });
    const refused = shown(await deliver(patient.session, taken.answer));
    expect(refused.status).to.equal(409);
    expect(alertOf(refused)).to.contain('This Google account belongs to another account here');
    for (const person of ['denied', { sub: 'x', aud: 'another-app' }] as const) {
      const { answer } = await leave(patient, 'apple', person);
      const page = shown(await deliver(patient.session, answer));
      expect([page.status, alertOf(page)]).to.deep.equal([
        400,
        'Your Apple account was not linked. Please try again in a moment.',
      ]);
    }
    const { answer } = await leave(patient, 'google', { sub: 'patients' });
    world.server.upstream.setDown(true);
    const arrival = await park(answer);
    expect(shown(await patient.session.open(arrival)).status).to.equal(503);
    world.server.upstream.setDown(false);
    expect(await linksOf(PATIENT.login)).to.deep.equal([]);
    expect(shown(await patient.session.open(arrival)).url, 'the same answer, later').to.contain(
      'done=linked',
    );
    expect(await linksOf(PATIENT.login)).to.deep.equal(['patients']);
  });
});
