/**
 * Google and Apple in a browser: the first time, the second time, the account that was there before, and
 * every way in which it can go wrong. A second OIDC provider on another site plays both.
 */
import { expect } from 'chai';
import type { Page } from '../../support/browser.ts';
import type { AnswerOptions } from '../../support/upstream.ts';
import { codeFor } from '../email-links.ts';
import {
  answerOf,
  begin,
  DOCTOR,
  enter,
  expectAccessible,
  type Journeys,
  MARA,
  startJourneys,
} from '../journey.ts';

const CODES = 'codes@clinic.test';
const APPLE_NAME = { user: JSON.stringify({ name: { firstName: 'Ana', lastName: 'Reis' } }) };
const WORDS = { google: 'Google', apple: 'Apple' };

describe('a person who comes by Google or Apple', function () {
  this.timeout(120_000);
  let journeys: Journeys;

  before(async () => {
    // Another site than the upstream's 127.0.0.1, as the real ones are.
    journeys = await startJourneys({ config: { issuer: 'http://localhost:0' } });
    const { organizations } = journeys.server.running.stores;
    const known = await organizations.byId('default');
    if (known !== undefined) await organizations.put({ ...known, registration: true });
  });
  afterEach(() => journeys.settle());
  after(() => journeys.close());

  const own = () => journeys.party(journeys.ownApp);
  const idOf = async (email: string) =>
    (await journeys.server.running.stores.accounts.byEmail('default', email))?.id;
  const atTheApp = (page: Page) => page.getByText('The app').waitFor();
  const press = (page: Page, provider: keyof typeof WORDS) =>
    page.getByRole('button', { name: `Continue with ${WORDS[provider]}` }).click();

  /** From the app to the upstream, which answers as this person. */
  async function go(
    page: Page,
    provider: keyof typeof WORDS,
    person: Record<string, unknown> | 'denied',
    answer?: AnswerOptions,
  ) {
    journeys.server.upstream.nextPerson(provider, person, answer);
    const started = await begin(page, await own());
    await press(page, provider);
    return started;
  }

  async function claimsAt(page: Page, started: Awaited<ReturnType<typeof begin>>) {
    await atTheApp(page);
    return { ...(await (await own()).finish(started, page.url())).claims() };
  }

  /** What stands in the profile of who is signed in. */
  async function profileName(page: Page): Promise<string> {
    await page.goto(`${journeys.server.issuer}/account/profile`);
    return page.getByLabel('Full name').inputValue();
  }

  it('finds Google down, tries again in a moment, and has an account from then on', async () => {
    const { upstream } = journeys.server;
    const person = { sub: 'nia', email: 'nia@gmail.com', email_verified: true };
    const page = await journeys.visit();
    upstream.setDown(true);
    await go(page, 'google', person);
    await page.getByText('Google is not responding right now').waitFor();
    await expectAccessible(page);
    upstream.setDown(false);
    await press(page, 'google');
    await atTheApp(page);
    const again = await journeys.visit();
    const claims = await claimsAt(again, await go(again, 'google', person));
    expect(claims).to.include({ sub: await idOf('nia@gmail.com') });
    expect(claims.amr).to.deep.equal(['fed']);
  });

  it('F2 tells Apple a name once, which is kept though the first answer comes to nothing', async () => {
    const { upstream } = journeys.server;
    const person = { sub: 'ana', email: 'x7k2@privaterelay.appleid.com', email_verified: 'true' };
    const page = await journeys.visit();
    await page.route('**/federation/apple/callback', (route) => {
      upstream.setDown(true);
      return route.continue();
    });
    await go(page, 'apple', person, { beside: APPLE_NAME });
    await page.getByText('Apple is not responding right now').waitFor();
    await page.unrouteAll({ behavior: 'wait' });
    upstream.setDown(false);
    upstream.nextPerson('apple', person);
    await press(page, 'apple');
    await atTheApp(page);
    expect(await profileName(page)).to.equal('Ana Reis');
  });

  it('F4 is linked without a question where Google answers for the address, and sees it in the account', async () => {
    const page = await journeys.visit();
    const person = { sub: 'mara-at-work', email: MARA.login, email_verified: true, hd: 'clinic.test' };
    const claims = await claimsAt(page, await go(page, 'google', person));
    expect(claims.sub).to.equal(await idOf(MARA.login));
    await page.goto(`${journeys.server.issuer}/account/sign-ins`);
    await page.getByRole('button', { name: 'Unlink' }).waitFor();
  });

  it('F4 proves an account with its password where Google does not, and never again', async () => {
    const person = { sub: 'doctor', email: DOCTOR.login, email_verified: true };
    const page = await journeys.visit();
    const started = await go(page, 'google', person);
    await page.getByRole('heading', { name: 'You already have an account' }).waitFor();
    await page.getByLabel('Password').fill('Not-The-Password-11');
    await page.getByRole('button', { name: 'Continue', exact: true }).click();
    await page.getByText('Wrong password').waitFor();
    await page.getByLabel('Password').fill(DOCTOR.password);
    await page.getByRole('button', { name: 'Continue', exact: true }).click();
    expect((await claimsAt(page, started)).amr).to.include.members(['fed', 'pwd']);
    const again = await journeys.visit();
    const claims = await claimsAt(again, await go(again, 'google', person));
    expect(claims.sub).to.equal(await idOf(DOCTOR.login));
  });

  it('F4 proves an account by a code, after stepping back once', async () => {
    const page = await journeys.visit();
    const person = { sub: 'nils', email: CODES, email_verified: 'false' };
    await go(page, 'apple', person);
    await page.getByRole('heading', { name: 'You already have an account' }).waitFor();
    await page.getByRole('button', { name: 'Not you?' }).click();
    journeys.server.upstream.nextPerson('apple', person);
    await press(page, 'apple');
    await page.getByRole('button', { name: 'Email me a code' }).click();
    await page.getByLabel('Code').fill(await codeFor(journeys.server, CODES));
    await page.getByRole('button', { name: 'Continue' }).click();
    await atTheApp(page);
    expect(await profileName(page)).to.equal('Dr. Nils Ek');
  });

  it('says no at Apple, is given a token of somebody’s making at both, and gets in at last', async () => {
    const page = await journeys.visit();
    await go(page, 'apple', 'denied');
    await page.getByText('Sign-in with Apple was cancelled').waitFor();
    const { upstream } = journeys.server;
    upstream.nextPerson('apple', { sub: 'eve', email: MARA.login, email_verified: true, aud: 'another-app' });
    await press(page, 'apple');
    await page.getByText('We could not sign you in with Apple').waitFor();
    upstream.nextPerson('google', { sub: 'eve', email: MARA.login, email_verified: true, nonce: 'made-up' });
    await press(page, 'google');
    await page.getByText('We could not sign you in with Google').waitFor();
    await expectAccessible(page);
    await enter(page, MARA);
    await atTheApp(page);
    expect(answerOf(page).get('code')).to.be.a('string');
  });

  it('F6 S1 comes in by no answer of another browser, of the other provider, or from yesterday', async () => {
    const [attacker, victim] = await Promise.all([journeys.visit(), journeys.visit()]);
    // The attacker takes Google's answer out of the way back, to have somebody else bring it.
    let answer = '';
    await attacker.route('**/google/authorize?*', async (route) => {
      const reply = await route.fetch({ maxRedirects: 0 });
      answer = reply.headers().location ?? '';
      await route.fulfill({ contentType: 'text/html', body: '<h1>Answer taken</h1>' });
    });
    await go(attacker, 'google', { sub: 'eve', email: 'eve@gmail.com', email_verified: true });
    await attacker.getByText('Answer taken').waitFor();
    expect(answer).to.contain('/federation/google/callback?');

    await begin(victim, await own());
    const ended = victim.getByRole('heading', { name: 'This sign-in has ended' });
    for (const address of [answer.replace('/google/', '/apple/'), answer, answer]) {
      expect((await victim.goto(address))?.status()).to.equal(410);
      await ended.waitFor();
    }
    expect(await idOf('eve@gmail.com')).to.equal(undefined);

    // Their own answer, once it was taken, opens nothing a second time either.
    let taken = '';
    victim.on('request', (request) => {
      if (request.url().includes('/federation/google/callback?')) taken = request.url();
    });
    await go(victim, 'google', { sub: 'vic', email: 'vic@gmail.com', email_verified: true });
    await atTheApp(victim);
    const other = await journeys.visit();
    for (const page of [victim, other]) {
      expect((await page.goto(taken))?.status()).to.equal(410);
      await page.getByRole('heading', { name: 'This sign-in has ended' }).waitFor();
    }
  });
});
