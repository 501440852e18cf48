/** Opening an account and getting back into one, from the app to its tokens. No page here needs a script. */
import { expect } from 'chai';
import type { Page } from '../../support/browser.ts';
import { codeFor, resetLinkFor, subjectFor } from '../email-links.ts';
import { begin, DOCTOR, enter, type Journeys, MARA, signIn, startJourneys } from '../journey.ts';

const FRESH = 'Seven-Quiet-Otters-Swim-90';
const NIA = { login: 'nia@new.test', password: FRESH };

describe('a person who is new, or has forgotten', function () {
  this.timeout(120_000);
  let journeys: Journeys;

  before(async () => {
    journeys = await startJourneys();
    const { organizations } = journeys.server.running.stores;
    const known = await organizations.byId('default');
    if (known !== undefined) await organizations.put({ ...known, registration: true });
  });
  afterEach(() => journeys.settle());
  after(() => journeys.close());

  const visit = () => journeys.visit({ javaScriptEnabled: false });
  const atTheApp = (page: Page) => page.getByText('The app').waitFor();

  async function apply(page: Page, email: string, password: string): Promise<void> {
    await page.getByLabel('Email address').fill(email);
    await page.getByLabel('Password').fill(password);
    await page.getByRole('button', { name: 'Continue' }).click();
  }

  it('opens an account: a better password, a wrong code, the right one, consent, tokens', async () => {
    const [page, party] = await Promise.all([visit(), journeys.party()]);
    const started = await begin(page, party);
    await page.getByRole('link', { name: 'Create an account' }).click();
    await page.getByLabel('Name').fill('Nia New');
    await apply(page, NIA.login, 'Password1234');
    await page.getByText('That password is easy to guess').waitFor();
    expect(await page.getByLabel('Name').inputValue()).to.equal('Nia New');
    await apply(page, NIA.login, NIA.password);
    await page.getByText(`We sent an email to ${NIA.login}`).waitFor();
    const code = await codeFor(journeys.server, NIA.login);
    await page.getByLabel('Code').fill(code === '000000' ? '000001' : '000000');
    await page.getByRole('button', { name: 'Create account' }).click();
    await page.getByText('This code is wrong or has expired').waitFor();
    await page.getByLabel('Code').fill(`${code.slice(0, 3)} ${code.slice(3)}`);
    await page.getByRole('button', { name: 'Create account' }).click();
    await page.getByRole('button', { name: 'Allow', exact: true }).click();
    await atTheApp(page);
    const claims = (await party.finish(started, page.url())).claims();
    const { accounts } = journeys.server.running.stores;
    expect(await accounts.byEmail('default', NIA.login)).to.include({ id: claims?.sub, emailVerified: true });
    // The account is there for another day.
    await signIn(await visit(), party, NIA);
  });

  it('W7 has an account already: the page says nothing, the email says so, and the way back leads in', async () => {
    const [page, party] = await Promise.all([visit(), journeys.party()]);
    await begin(page, party);
    await page.getByRole('link', { name: 'Create an account' }).click();
    await apply(page, MARA.login, FRESH);
    await page.getByText(`We sent an email to ${MARA.login}`).waitFor();
    expect(await subjectFor(journeys.server, MARA.login)).to.equal('You already have an account');
    await page.getByRole('link', { name: 'Use another email address' }).click();
    await page.getByRole('link', { name: 'I already have an account' }).click();
    await enter(page, MARA);
    await page.getByRole('button', { name: 'Allow', exact: true }).click();
    await atTheApp(page);
  });

  it('W6 has forgotten the password: an email, a new one, out everywhere else, and on with the sign-in', async () => {
    const [elsewhere, page, party] = await Promise.all([visit(), visit(), journeys.party()]);
    await signIn(elsewhere, party, DOCTOR);
    const started = await begin(page, party);
    await page.getByRole('link', { name: 'Forgot your password?' }).click();
    await page.getByLabel('Email or username').fill(DOCTOR.login);
    await page.getByRole('button', { name: 'Send link' }).click();
    await page.getByRole('heading', { name: 'Check your email' }).waitFor();
    // The email is read in another tab; the first one waits.
    const tab = await page.context().newPage();
    await tab.goto(await resetLinkFor(journeys.server, DOCTOR.login));
    await tab.getByLabel('New password').fill(FRESH);
    await tab.getByRole('button', { name: 'Save password' }).click();
    await tab.getByRole('heading', { name: 'Your password has been changed' }).waitFor();
    expect(await subjectFor(journeys.server, DOCTOR.login)).to.equal('Your password has been reset');
    await begin(elsewhere, party, { prompt: 'none' });
    expect(elsewhere.url()).to.contain('error=login_required');
    await page.getByRole('link', { name: 'Back to sign-in' }).click();
    await enter(page, { ...DOCTOR, password: FRESH });
    await page.getByRole('button', { name: 'Allow', exact: true }).click();
    await atTheApp(page);
    expect((await party.finish(started, page.url())).claims()?.sub).to.be.a('string');
  });
});
