/** The ways through a sign-in besides the shortest one, each walked to the app and to its tokens. */
import { expect } from 'chai';
import { focused, openPageWithoutCookies, type Page } from '../../support/browser.ts';
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
const STEP_UP = 'urn:portico:acr:stepup';

describe('a person on the way in', function () {
  this.timeout(120_000);
  let journeys: Journeys;

  before(async () => {
    journeys = await startJourneys();
  });
  afterEach(() => journeys.settle());
  after(() => journeys.close());

  const own = () => journeys.party(journeys.ownApp);
  const atTheApp = (page: Page) => page.getByText('The app').waitFor();

  /** What the app learns about the person, once the browser is back there. */
  async function claimsAt(page: Page, started: Awaited<ReturnType<typeof begin>>) {
    await atTheApp(page);
    return { ...(await (await own()).finish(started, page.url())).claims() };
  }
  const idOf = async (email: string) =>
    (await journeys.server.running.stores.accounts.byEmail('default', email))?.id;

  /** The account that is asked for its second proof gets an email and types what is in it. */
  async function proveByCode(page: Page, email: string): Promise<void> {
    await page.getByRole('button', { name: 'Email me a code' }).click();
    await page.getByRole('heading', { name: 'Check your email' }).waitFor();
    await page.getByLabel('Code').fill(await codeFor(journeys.server, email));
    await page.getByRole('button', { name: 'Continue' }).click();
  }

  it('gives the name first, puts a typing issue right and gets in, by keyboard alone', async () => {
    const { organizations } = journeys.server.running.stores;
    const known = await organizations.byId('default');
    if (known === undefined) throw new Error('The organization is not there.');
    await organizations.put({ ...known, branding: { sign_in: 'name-first' } });
    const page = await journeys.visit();
    const started = await begin(page, await own());
    await focused(page);
    await page.keyboard.type('mara@clinic.tset');
    await page.keyboard.press('Enter');
    await page.getByLabel('Password').waitFor();
    await focused(page);
    await page.keyboard.press('Shift+Tab');
    await page.locator(':focus', { hasText: 'Not you?' }).waitFor();
    await page.keyboard.press('Enter');
    await page.getByLabel('Email or username').waitFor();
    await focused(page);
    await page.keyboard.type(MARA.login);
    await page.keyboard.press('Enter');
    await page.getByText(MARA.login).waitFor();
    await focused(page);
    await page.keyboard.type(MARA.password);
    await page.keyboard.press('Enter');
    expect((await claimsAt(page, started)).sub).to.equal(await idOf(MARA.login));
    await organizations.put(known);
  });

  it('waits for an email that does not come, sees how long, and takes another way', async () => {
    const page = await journeys.visit();
    await begin(page, await own());
    await page.getByLabel('Email or username').fill('mara@clinic.tset');
    await page.getByRole('button', { name: 'Email me a code' }).click();
    await page.getByText('No email? Check your spam folder').waitFor();
    await page.getByText('You can ask for a new code in').waitFor();
    await page.getByRole('button', { name: 'Try another way' }).click();
    await enter(page, MARA);
    await atTheApp(page);
    expect(journeys.server.mail.waiting('mara@clinic.tset')).to.deep.equal([]);
  });

  it('pastes the code as the mail program copied it', async () => {
    const page = await journeys.visit({ permissions: ['clipboard-read', 'clipboard-write'] });
    const started = await begin(page, await own());
    await page.getByLabel('Email or username').fill(CODES);
    await page.getByRole('button', { name: 'Email me a code' }).click();
    await page.getByRole('heading', { name: 'Check your email' }).waitFor();
    const code = await codeFor(journeys.server, CODES);
    const copied = ` ${code.slice(0, 3)} ${code.slice(3)}\n`;
    await page.evaluate(`navigator.clipboard.writeText(${JSON.stringify(copied)})`);
    await focused(page);
    await page.keyboard.press('ControlOrMeta+V');
    await page.locator('#code:valid').waitFor();
    await page.keyboard.press('Enter');
    const claims = await claimsAt(page, started);
    expect(claims).to.include({ sub: await idOf(CODES), acr: 'urn:portico:acr:single' });
    // Two proofs are more than this account has: the page says what is missing, and leads back.
    const refused = await begin(page, await own(), { acr_values: STEP_UP });
    await page.getByRole('heading', { name: 'Two-step verification needed' }).waitFor();
    await page.getByRole('button', { name: 'Back to Own App' }).click();
    await atTheApp(page);
    expect(answerOf(page).get('error')).to.equal('unmet_authentication_requirements');
    expect(answerOf(page).get('state')).to.equal(refused.state);
  });

  it('goes on as who is signed in, then as another, who proves it twice and once more', async () => {
    const page = await journeys.visit();
    await begin(page, await own());
    await enter(page, MARA);
    await atTheApp(page);
    const same = await begin(page, await own(), { prompt: 'select_account' });
    await page.getByRole('heading', { name: 'Choose an account' }).waitFor();
    await focused(page);
    await page.keyboard.press('Enter');
    expect((await claimsAt(page, same)).sub).to.equal(await idOf(MARA.login));

    const other = await begin(page, await own(), { prompt: 'select_account' });
    await page.getByRole('button', { name: 'Use another account' }).click();
    await enter(page, DOCTOR);
    expect((await claimsAt(page, other)).sub).to.equal(await idOf(DOCTOR.login));

    const twice = await begin(page, await own(), { acr_values: STEP_UP });
    await page.getByRole('heading', { name: 'Confirm it’s you' }).waitFor();
    await proveByCode(page, DOCTOR.login);
    const proven = await claimsAt(page, twice);
    expect(proven).to.include({ acr: STEP_UP, sub: await idOf(DOCTOR.login) });
    expect(proven.amr).to.include.members(['pwd', 'otp']);

    const recent = await begin(page, await own(), { max_age: '0' });
    await page.getByText('Confirm it’s you to continue').waitFor();
    await enter(page, DOCTOR);
    expect((await claimsAt(page, recent)).auth_time).to.be.at.least(Number(proven.auth_time));
  });

  it('has two tabs open, gets in with both, and Back leads to the app again', async () => {
    const { clients } = journeys.server.running.stores;
    const known = await clients.byId('own-app');
    if (known === undefined) throw new Error('The client is not there.');
    await clients.put({ ...known, metadata: { ...known.metadata, client_uri: journeys.apps.url } });
    const one = await journeys.visit();
    const two = await one.context().newPage();
    const first = await begin(one, await own());
    const second = await begin(two, await own());
    const address = one.url();
    await enter(two, MARA);
    expect((await claimsAt(two, second)).sub).to.equal(await idOf(MARA.login));
    await enter(one, MARA);
    expect((await claimsAt(one, first)).sub).to.equal(await idOf(MARA.login));
    await one.goto(address);
    await one.getByText('The app').waitFor();
    expect(new URL(one.url()).searchParams.has('code')).to.equal(true);
    await one.goto(`${journeys.server.issuer}/interaction/gone`);
    await one.getByRole('heading', { name: 'This sign-in has ended' }).waitFor();
    await expectAccessible(one);
    await one.getByRole('link', { name: 'Back to Own App' }).click();
    await atTheApp(one);
    expect(one.url()).to.equal(journeys.apps.url);
  });

  it('is told that the browser keeps no cookies', async () => {
    const { page, close } = await openPageWithoutCookies();
    try {
      await begin(page, await own());
      await page.getByText('Your browser keeps no cookies for this site').waitFor();
      await page.getByText('Allow cookies for this site, or use another browser').waitFor();
      expect(await page.getByRole('textbox').count()).to.equal(0);
    } finally {
      await close();
    }
  });
});
