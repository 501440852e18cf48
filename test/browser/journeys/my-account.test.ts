/** My account, from one end to the other: what people look up, change, end and take away. */
import { readFileSync } from 'node:fs';
import { expect } from 'chai';
import { fetchUserInfo } from 'openid-client';
import { linkIdentity } from '../../../src/identity/upstream/link-identity.ts';
import type { Page } from '../../support/browser.ts';
import { codeFor, subjectFor } from '../email-links.ts';
import { begin, DOCTOR, enter, type Journeys, MARA, signIn, startJourneys } from '../journey.ts';

const FRESH = 'Seven-Quiet-Otters-Swim-90';
const CODES = 'codes@clinic.test';
const UNPROVEN = { login: 'unverified@ward.test', password: 'Violet-Anchor-Timber-58' };

describe('a person at my account', function () {
  this.timeout(120_000);
  let journeys: Journeys;

  before(async () => {
    journeys = await startJourneys();
  });
  afterEach(() => journeys.settle());
  after(() => journeys.close());

  const atTheApp = (page: Page) => page.getByText('The app').waitFor();
  const says = (page: Page, words: string) => page.getByRole('status').filter({ hasText: words }).waitFor();
  const overview = (page: Page) => page.getByRole('heading', { name: 'My account', exact: true }).waitFor();

  async function open(page: Page, who: { login: string; password: string }): Promise<void> {
    await page.goto(`${journeys.server.issuer}/account`);
    await enter(page, who);
    await overview(page);
  }

  /** From the overview to one of its pages; the way there is a link. */
  async function leaseTo(page: Page, row: string): Promise<void> {
    await page.goto(`${journeys.server.issuer}/account`);
    await page.getByRole('link', { name: row }).click();
    await page.getByRole('link', { name: 'My account' }).first().waitFor();
  }

  it('F7 W5 changes profile, address and password, and is told of each', async () => {
    const page = await journeys.visit();
    await open(page, MARA);
    await leaseTo(page, 'Profile');
    await page.getByLabel('Nickname').fill('Mimi');
    await page.getByLabel('Phone number').fill('call me');
    await page.getByRole('button', { name: 'Save' }).click();
    await page.getByText('Please check the marked fields').waitFor();
    await page.getByLabel('Phone number').fill('');
    await page.getByLabel('Date of birth').fill('1986-02-28');
    await page.getByLabel('Gender').selectOption({ label: 'Female' });
    await page.getByLabel('Language').selectOption({ label: 'English' });
    await page.getByLabel('Time zone').selectOption({ label: 'Berlin' });
    await page.getByRole('button', { name: 'Save' }).click();
    await says(page, 'Your changes have been saved');
    expect(await page.getByLabel('Date of birth').inputValue()).to.equal('1986-02-28');
    expect(await page.getByLabel('Time zone').inputValue()).to.equal('Europe/Berlin');
    expect(await page.getByLabel('Nickname').inputValue()).to.equal('Mimi');

    await leaseTo(page, 'Email address');
    await page.getByLabel('New email address').fill('mara@new.test');
    await page.getByRole('button', { name: 'Send code' }).click();
    await page.getByText('We sent an email to mara@new.test').waitFor();
    await page.getByLabel('Code').fill(await codeFor(journeys.server, 'mara@new.test'));
    await page.getByRole('button', { name: 'Confirm' }).click();
    await says(page, 'Your email address has been changed');
    expect(await subjectFor(journeys.server, MARA.login)).to.equal('Your email address was changed');

    const elsewhere = await journeys.visit();
    await open(elsewhere, { ...MARA, login: 'mara@new.test' });
    await leaseTo(page, 'Password');
    await page.getByLabel('Current password').fill('Not-The-Password-11');
    await page.getByLabel('New password').fill(FRESH);
    await page.getByRole('button', { name: 'Change password' }).click();
    await page.getByText('Wrong password').waitFor();
    await page.getByLabel('Current password').fill(MARA.password);
    await page.getByLabel('New password').fill(FRESH);
    await page.getByRole('button', { name: 'Change password' }).click();
    await says(page, 'Your password has been changed');
    expect(await subjectFor(journeys.server, 'mara@new.test')).to.equal('Your password was changed');
    await elsewhere.reload();
    await enter(elsewhere, { login: 'mara@new.test', password: FRESH });
    await overview(elsewhere);
  });

  it('S4 K1 K3 ends a browser, an app, a linked sign-in and a key, each with the button beside it', async () => {
    const { identity, stores } = journeys.server.running;
    const accountId = (await stores.accounts.byEmail('default', DOCTOR.login))?.id ?? '';
    await linkIdentity(identity, { accountId, issuer: 'https://accounts.google.com', subject: '1' });
    const [page, lost, party] = await Promise.all([journeys.visit(), journeys.visit(), journeys.party()]);
    await open(lost, DOCTOR);
    const started = await signIn(page, party, DOCTOR);
    const tokens = await party.finish(started, page.url());
    const person = () => fetchUserInfo(party.configuration, tokens.access_token, accountId);
    expect(await person()).to.include({ email: DOCTOR.login });

    await leaseTo(page, 'Devices and apps');
    const other = page.getByRole('listitem').filter({ hasNotText: 'This browser' });
    await other.getByRole('button', { name: 'Sign out' }).click();
    await says(page, 'That browser has been signed out');
    await lost.reload();
    await lost.getByLabel('Password').waitFor();
    await page.getByRole('button', { name: 'Remove access' }).click();
    await says(page, 'That app no longer has access');
    await page.getByText('No app has access').waitFor();
    expect(await person().catch(() => 'no access')).to.equal('no access');

    await leaseTo(page, 'Linked accounts');
    await page.getByRole('button', { name: 'Unlink Google' }).click();
    await says(page, 'The account is no longer linked');

    await leaseTo(page, 'API keys');
    await page.getByLabel('Name').fill('Night run');
    await page.getByLabel('read:users').check();
    await page.getByRole('button', { name: 'Create key' }).click();
    await says(page, 'it is shown only once');
    const key = await page.locator('pre').innerText();
    const use = () =>
      fetch(`${journeys.server.url}/api/v1/auth/me`, { headers: { 'x-api-key': key } }).then(
        ({ status }) => status,
      );
    expect(await use()).to.equal(200);
    await page.reload();
    await page.getByText('Night run').waitFor();
    expect(await page.getByText(key).count()).to.equal(0);
    await page.getByRole('button', { name: 'Delete the key Night run' }).click();
    await says(page, 'The key has been deleted');
    expect(await use()).to.equal(401);

    // The consent went with the access: the app has to ask again, and is remembered again.
    for (const asked of [true, false]) {
      await begin(page, party);
      const allow = page.getByRole('button', { name: 'Allow', exact: true });
      await allow.or(page.getByText('The app')).waitFor();
      expect(await allow.isVisible()).to.equal(asked);
      if (asked) await allow.click();
      await atTheApp(page);
    }
  });

  it('signs in by a code, sets a first password, signs out and comes back with it', async () => {
    const page = await journeys.visit({ javaScriptEnabled: false });
    await page.goto(`${journeys.server.issuer}/account/password`);
    await page.getByLabel('Email or username').fill(CODES);
    await page.getByRole('button', { name: 'Email me a code' }).click();
    await page.getByLabel('Code').fill(await codeFor(journeys.server, CODES));
    await page.getByRole('button', { name: 'Continue' }).click();
    await page.getByText('You have no password yet').waitFor();
    await page.getByLabel('New password').fill(FRESH);
    await page.getByRole('button', { name: 'Set password' }).click();
    await says(page, 'Your password has been set');
    await page.getByRole('link', { name: 'My account' }).click();
    await page.getByRole('link', { name: 'Sign out' }).click();
    await page.getByRole('heading', { name: 'Sign out?' }).waitFor();
    await page.getByRole('button', { name: 'Sign out' }).click();
    await page.getByRole('heading', { name: 'You are signed out' }).waitFor();
    await open(page, { login: CODES, password: FRESH });
  });

  it('confirms the address, takes the data along, deletes the account, and is gone', async () => {
    const page = await journeys.visit();
    await open(page, UNPROVEN);
    await leaseTo(page, 'Email address');
    await page.getByRole('button', { name: 'Send a confirmation code' }).click();
    await page.getByLabel('Code').fill(await codeFor(journeys.server, UNPROVEN.login));
    await page.getByRole('button', { name: 'Confirm' }).click();
    await says(page, 'Your email address is confirmed');

    await leaseTo(page, 'Delete account');
    await page.getByRole('link', { name: 'You may want to download your data first' }).click();
    const download = page.waitForEvent('download');
    await page.getByRole('link', { name: 'Download (JSON)' }).click();
    expect((await download).suggestedFilename()).to.equal('my-account.json');
    expect(readFileSync(await (await download).path(), 'utf8')).to.contain(UNPROVEN.login);

    await leaseTo(page, 'Delete account');
    await page.getByLabel('Your password').fill('Not-The-Password-11');
    await page.getByRole('button', { name: 'Delete permanently' }).click();
    await page.getByText('Wrong password').waitFor();
    await page.getByLabel('Your password').fill(UNPROVEN.password);
    await page.getByRole('button', { name: 'Delete permanently' }).click();
    await page.getByRole('heading', { name: 'Your account has been deleted' }).waitFor();
    await page.goto(`${journeys.server.issuer}/account`);
    await enter(page, UNPROVEN);
    await page.getByText('Wrong email, username or password').waitFor();
  });
});
