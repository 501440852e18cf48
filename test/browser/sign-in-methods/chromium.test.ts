/**
 * What only a real browser shows: cookies on a cross-site form, leaving and coming back with and without
 * scripts, the wait that is counted down by the stylesheet, and how the pages look.
 */
import { expect } from 'chai';
import { focused, type Page } from '../../support/browser.ts';
import {
  answerOf,
  begin,
  enter,
  inEveryLook,
  type Journeys,
  MARA,
  type Site,
  startJourneys,
  startSite,
} from '../journey.ts';

const CODES = 'codes@clinic.test';
const STEP_UP = 'urn:portico:acr:stepup';
/** Milliseconds: a busy machine takes its time. */
const PATIENCE = 30_000;

describe('ways to sign in, in a browser', function () {
  this.timeout(60_000);
  let journeys: Journeys;
  let evil: Site;
  let moved = 0;
  before(async () => {
    // Another site than the upstream's 127.0.0.1: to a browser, Apple is cross-site.
    const clock = { now: () => new Date(Date.now() + moved) };
    journeys = await startJourneys({ clock, config: { issuer: 'http://localhost:0' } });
    evil = await startSite();
    const { organizations } = journeys.server.running.stores;
    const known = await organizations.byId('default');
    if (known !== undefined) await organizations.put({ ...known, registration: true });
  });
  afterEach(() => journeys.settle());
  after(async () => {
    await evil.close();
    await journeys.close();
  });

  const own = () => journeys.party(journeys.ownApp);
  const google = (name: string) => ({ sub: name, email: `${name}@gmail.com`, email_verified: true });

  let emails = 0;
  /** From the email that came after the last asking. */
  async function codeTo(email: string): Promise<string> {
    const { mail } = journeys.server;
    const arrived = () => mail.emails.slice(emails).findLast(({ to }) => to.includes(email));
    await comes(() => arrived() !== undefined);
    return /\b\d{6}\b/.exec(arrived()?.text ?? '')?.[0] ?? '';
  }

  async function askForCode(page: Page, login = CODES): Promise<void> {
    moved += 700_000;
    await begin(page, await own());
    await page.getByLabel('Email or username').fill(login);
    // An email that an earlier test did not wait for must not be taken for this one's.
    await journeys.server.running.identity.mailer.drain(PATIENCE);
    emails = journeys.server.mail.emails.length;
    await page.getByRole('button', { name: 'Email me a code' }).click();
    await page.getByRole('heading', { name: 'Check your email' }).waitFor();
  }

  /** Seen from the upstream, the server's clock is in the future after some emails. */
  function nextPerson(provider: 'google' | 'apple', person: Record<string, unknown>): void {
    const iat = Math.floor((Date.now() + moved) / 1000);
    journeys.server.upstream.nextPerson(provider, { ...person, iat, exp: iat + 3600 });
  }

  it('F2 takes Apple’s form from another site, which carries no cookie of ours', async () => {
    const page = await journeys.visit();
    nextPerson('apple', { sub: 'apple-1', email: 'a1@privaterelay.appleid.com', email_verified: 'true' });
    await begin(page, await own());
    const posted = page.waitForRequest((request) => request.url().includes('/federation/apple/callback'));
    await page.getByRole('button', { name: 'Continue with Apple' }).click();
    await page.getByText('The app').waitFor();
    expect(answerOf(page).get('code')).to.be.a('string');
    const headers = await (await posted).allHeaders();
    expect((await posted).method()).to.equal('POST');
    expect(headers).to.include({ 'sec-fetch-site': 'cross-site' });
    expect(headers.cookie).to.equal(undefined);
  });

  it('goes to both and comes back with JavaScript off', async () => {
    for (const [provider, name] of [
      ['google', 'Google'],
      ['apple', 'Apple'],
    ] as const) {
      const page = await journeys.visit({ javaScriptEnabled: false });
      nextPerson(provider, google(`no-script-${provider}`));
      await begin(page, await own());
      await page.getByRole('button', { name: `Continue with ${name}` }).click();
      // The test's Apple has a button where the real one has a script.
      const button = page.getByRole('button', { name: 'Continue', exact: true });
      await button.or(page.getByText('The app')).waitFor();
      if (await button.isVisible()) await button.click();
      await page.getByText('The app').waitFor();
      expect(answerOf(page).get('code')).to.be.a('string');
    }
  });

  it('F6 S5 another site’s form cannot finish a sign-in in a browser that did not begin it', async () => {
    const [attacker, victim] = [await journeys.visit(), await journeys.visit()];
    nextPerson('apple', google('attacker'));
    // The attacker's browser is stopped on the way back, and its answer put into a form elsewhere.
    let answer = '';
    await attacker.route('**/federation/apple/callback', (route) => {
      answer = route.request().postData() ?? '';
      return route.abort();
    });
    await begin(attacker, await own());
    await attacker.getByRole('button', { name: 'Continue with Apple' }).click();
    await comes(() => answer !== '');
    const fields = [...new URLSearchParams(answer)].map(([n, v]) => `<input name="${n}" value="${v}">`);
    const action = `${journeys.server.issuer}/federation/apple/callback`;
    evil.html = `<form method="post" action="${action}">${fields.join('')}</form><script>document.forms[0].submit()</script>`;
    await begin(victim, await own());
    await victim.goto(evil.url.replace('localhost', '127.0.0.1'), { waitUntil: 'commit' });
    await victim.getByRole('heading', { name: 'This sign-in has ended' }).waitFor();
    await begin(victim, await own());
    await victim.getByRole('heading', { name: 'Sign in', exact: true }).waitFor();
  });

  it('reloading after coming back from an upstream that failed shows the ways again', async () => {
    const page = await journeys.visit();
    journeys.server.upstream.nextPerson('google', 'denied');
    await begin(page, await own());
    await page.getByRole('button', { name: 'Continue with Google' }).click();
    await page.getByRole('alert').waitFor();
    await page.reload();
    await enter(page, MARA);
    await page.getByText('The app').waitFor();
  });

  it('signs in by a code with the keyboard alone', async () => {
    const page = await journeys.visit();
    await askForCode(page);
    const code = await codeTo(CODES);
    await focused(page);
    await page.keyboard.type(code);
    await page.keyboard.press('Enter');
    await page.getByText('The app').waitFor();
  });

  it('takes a double click on the code for one', async () => {
    const page = await journeys.visit();
    await askForCode(page);
    await page.getByLabel('Code').fill(await codeTo(CODES));
    await page.getByRole('button', { name: 'Continue' }).dblclick();
    await page.getByText('The app').waitFor();
    expect(answerOf(page).get('code')).to.be.a('string');
  });

  it('shows the wait before another email, and the button when it is over, without a script', async () => {
    const page = await journeys.visit({ javaScriptEnabled: false });
    await askForCode(page);
    const again = page.getByRole('button', { name: 'Send a new code' });
    expect(await again.isVisible()).to.equal(false);
    expect(await page.getByText('You can ask for a new code in').isVisible()).to.equal(true);
    // Its own time: the last seconds of a wait that is nearly over.
    moved += 28_000;
    await page.reload();
    await page.locator('.wait[data-left="10"]').waitFor();
    await again.waitFor();
    moved += 10_000;
    await again.click();
    await page.getByText('We sent a new code').waitFor();
  });

  it('the back button after a code leads to no dead end', async () => {
    const page = await journeys.visit();
    await askForCode(page);
    await page.goBack();
    await page.reload();
    await page.getByRole('heading', { name: 'Check your email' }).waitFor();
    await page.getByRole('button', { name: 'Try another way' }).click();
    await enter(page, MARA);
    await page.getByText('The app').waitFor();
  });

  describe('look', () => {
    it('the name alone', async () => {
      const { organizations } = journeys.server.running.stores;
      const known = await organizations.byId('default');
      if (known === undefined) throw new Error('no organization');
      await organizations.put({ ...known, branding: { sign_in: 'name-first' } });
      await inEveryLook(journeys, 'sign-in-name', async (page) => {
        await begin(page, await own());
      });
      await inEveryLook(journeys, 'sign-in-password', async (page) => {
        await begin(page, await own());
        await page.getByLabel('Email or username').fill(MARA.login);
        await page.getByRole('button', { name: 'Continue', exact: true }).click();
        await page.getByLabel('Password').waitFor();
      });
      await organizations.put(known);
    });

    it('the code', () => inEveryLook(journeys, 'sign-in-code', (page) => askForCode(page)));

    it('the code, refused', () =>
      inEveryLook(journeys, 'sign-in-code-refused', async (page) => {
        await askForCode(page);
        await page.getByLabel('Code').fill('000 000');
        await page.getByRole('button', { name: 'Continue' }).click();
        await page.getByRole('alert').waitFor();
      }));

    it('the link to an account', () =>
      inEveryLook(journeys, 'link-account', async (page) => {
        nextPerson('google', { sub: 'mara-at-google', email: MARA.login, email_verified: true });
        await begin(page, await own());
        await page.getByRole('button', { name: 'Continue with Google' }).click();
        await page.getByRole('heading', { name: 'You already have an account' }).waitFor();
      }));

    it('the choice of an account', () =>
      inEveryLook(journeys, 'choose-account', async (page) => {
        await begin(page, await own());
        await enter(page, MARA);
        await page.getByText('The app').waitFor();
        await begin(page, await own(), { prompt: 'select_account' });
        await page.getByRole('heading', { name: 'Choose an account' }).waitFor();
      }));

    it('the second proof', () =>
      inEveryLook(journeys, 'second-proof', async (page) => {
        await begin(page, await own());
        await enter(page, MARA);
        await page.getByText('The app').waitFor();
        await begin(page, await own(), { acr_values: STEP_UP });
        await page.getByRole('heading', { name: 'Confirm it’s you' }).waitFor();
      }));

    it('the proof that is missing', () =>
      inEveryLook(journeys, 'step-up-impossible', async (page) => {
        await askForCode(page);
        await page.getByLabel('Code').fill(await codeTo(CODES));
        await page.getByRole('button', { name: 'Continue' }).click();
        await page.getByText('The app').waitFor();
        await begin(page, await own(), { acr_values: STEP_UP });
        await page.getByRole('heading', { name: 'Two-step verification needed' }).waitFor();
      }));

    it('an upstream that does not answer', () =>
      inEveryLook(journeys, 'upstream-denied', async (page) => {
        journeys.server.upstream.nextPerson('google', 'denied');
        await begin(page, await own());
        await page.getByRole('button', { name: 'Continue with Google' }).click();
        await page.getByRole('alert').waitFor();
      }));

    it('leaving for an upstream', () =>
      inEveryLook(journeys, 'upstream-leaving', async (page) => {
        await page.route('**/with/google', async (route) => {
          const reply = await route.fetch();
          const { refresh: _gone, ...headers } = reply.headers();
          await route.fulfill({ response: reply, headers });
        });
        await begin(page, await own());
        await page.getByRole('button', { name: 'Continue with Google' }).click();
        await page.getByRole('heading', { name: 'Taking you to Google' }).waitFor();
      }));

    it('a page and its stylesheets weigh less than 30 kB, and what passkeys need 16 kB', async () => {
      const page = await journeys.visit();
      const weights: Promise<[string, number]>[] = [];
      page.on('response', (response) => {
        const { pathname } = new URL(response.url());
        if (response.status() === 200)
          weights.push(response.body().then((body) => [pathname, body.byteLength]));
      });
      await begin(page, await own());
      await page.waitForLoadState('networkidle');
      const weighed = await Promise.all(weights);
      const isOfPasskeys = ([name]: [string, number]) => /(simplewebauthn|passkeys)\.js$/.test(name);
      const total = (files: [string, number][]) => files.reduce((sum, [, weight]) => sum + weight, 0);
      expect(total(weighed.filter((file) => !isOfPasskeys(file)))).to.be.within(3000, 30_000);
      expect(total(weighed.filter(isOfPasskeys))).to.be.within(3000, 16_000);
    });
  });
});

/** Waits for something that happens outside the browser. */
async function comes(done: () => boolean): Promise<void> {
  for (const end = Date.now() + PATIENCE; Date.now() < end && !done(); ) {
    await new Promise((resolve) => setTimeout(resolve, 20));
  }
  expect(done()).to.equal(true);
}
