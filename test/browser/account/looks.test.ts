/** Registration, recovery and the account pages in every look (see ../looks.test.ts). */
import { expect } from 'chai';
import { createApiKey } from '../../../src/identity/accounts/api-keys.ts';
import { changeFactors } from '../../../src/identity/factors/change-factors.ts';
import { linkIdentity } from '../../../src/identity/upstream/link-identity.ts';
import { shownBy } from '../../support/authenticator-app.ts';
import type { Page } from '../../support/browser.ts';
import {
  begin,
  enter,
  expectAccessible,
  inEveryLook,
  type Journeys,
  signIn,
  startJourneys,
} from '../journey.ts';

const CHIEF = { login: 'chief@clinic.test', password: 'Juniper-Harvest-Copper-55' };
const DOCTOR = { login: 'dr@clinic.test', password: 'Saffron-Glacier-Pilot-19' };

describe('the looks of the account pages', function () {
  this.timeout(60_000);
  let journeys: Journeys;

  before(async () => {
    journeys = await startJourneys({
      config: { attempts: { pair: { limit: 1000 }, address: { limit: 1000 } } },
    });
    const { stores, identity } = journeys.server.running;
    const organization = await stores.organizations.byId('default');
    if (organization !== undefined) await stores.organizations.put({ ...organization, registration: true });
    const doctor = await stores.accounts.byEmail('default', DOCTOR.login);
    const accountId = doctor?.id ?? '';
    await linkIdentity(identity, { accountId, issuer: 'https://accounts.google.com', subject: '1' });
    for (const name of ['Reports at night', 'Ward screen']) {
      await createApiKey(identity, {
        ...{
          organization: 'default',
          vendor: 'avycenna',
          accountId,
          name,
          scopes: ['read:users', 'read:health'],
        },
        id: { prefix: 'key_', alphabet: 'abcdefghij', length: 8 },
        key: { prefix: 'avk_', alphabet: '0123456789abcdef', length: 64 },
        ...(name === 'Ward screen' ? { expiresAt: new Date(Date.now() + 30 * 86_400_000) } : {}),
      });
    }
  });
  afterEach(() => journeys.settle());
  after(() => journeys.close());

  async function open(page: Page, path: string, who = DOCTOR): Promise<void> {
    await page.goto(`${journeys.server.issuer}/account`);
    await enter(page, who);
    await page.getByRole('heading', { name: 'My account' }).waitFor();
    await page.goto(journeys.server.issuer + path);
  }

  async function register(page: Page): Promise<void> {
    await begin(page, await journeys.party());
    await page.getByRole('link', { name: 'Create an account' }).click();
    await page.getByRole('heading', { name: 'Create an account' }).waitFor();
  }

  it('register', () => inEveryLook(journeys, 'register', register));

  it('register, refused', () =>
    inEveryLook(journeys, 'register-refused', async (page) => {
      await register(page);
      await page.getByLabel('Email address').fill('new@clinic.test');
      await page.getByLabel('Password').fill('Password1234');
      await page.getByRole('button', { name: 'Continue' }).click();
      await page.getByRole('alert').waitFor();
    }));

  it('register, code', () =>
    inEveryLook(journeys, 'register-code', async (page) => {
      await register(page);
      await page.getByLabel('Email address').fill('new@clinic.test');
      await page.getByLabel('Password').fill('Seven-Quiet-Otters-Swim-90');
      await page.getByRole('button', { name: 'Continue' }).click();
      await page.getByRole('button', { name: 'Create account' }).waitFor();
    }));

  it('forgot password', () =>
    inEveryLook(journeys, 'forgot', async (page) => {
      await page.goto(`${journeys.server.issuer}/forgot`);
    }));

  it('forgot password, sent', () => {
    let look = 0;
    return inEveryLook(journeys, 'forgot-sent', async (page) => {
      look += 1;
      await page.goto(`${journeys.server.issuer}/forgot`);
      await page.getByLabel('Email or username').fill(`nobody-${look}@clinic.test`);
      await page.getByRole('button', { name: 'Send link' }).click();
      await page.getByRole('heading', { name: 'Check your email' }).waitFor();
    });
  });

  for (const name of ['profile', 'address', 'password', 'sign-ins', 'keys', 'data', 'delete']) {
    it(name, () => inEveryLook(journeys, `account-${name}`, (page) => open(page, `/account/${name}`)));
  }

  /** To the page that sets an app up, in any language, by a person who has no factor; its key. */
  async function setUpApp(page: Page): Promise<string> {
    const { stores, identity } = journeys.server.running;
    const accountId = (await stores.accounts.byEmail('default', CHIEF.login))?.id ?? '';
    const none = { event: 'factor.reset', change: () => ({}), context: undefined } as const;
    await changeFactors(identity, { ...none, accountId });
    await page.goto(`${journeys.server.issuer}/account`);
    await page.locator('input[name="login"]').fill(CHIEF.login);
    await page.locator('input[name="password"]').fill(CHIEF.password);
    await page.locator('form:has(input[name="password"]) button.primary').click();
    await page.locator('a[href="/account/factors"]').click();
    await page.locator('form[action="/account/factors/app/new"] button').click();
    return (await page.locator('pre.key').innerText()).replaceAll(' ', '');
  }

  it('an authenticator app, with its recovery codes', () =>
    inEveryLook(journeys, 'account-recovery-codes', async (page) => {
      const secret = await setUpApp(page);
      await page.getByLabel('Code', { exact: true }).fill(shownBy(secret, new Date()));
      await page.getByRole('button', { name: 'Confirm' }).click();
      await page.getByText('they are shown only once').waitFor();
    }));

  it('the pages of an app in German and Spanish', async () => {
    for (const locale of ['de', 'es']) {
      const page = await journeys.visit({ locale, viewport: { width: 320, height: 640 } });
      const secret = await setUpApp(page);
      await expectAccessible(page, `account-app, ${locale}`);
      await page.locator('input[name="code"]').fill(shownBy(secret, new Date()));
      await page.locator('button.primary').click();
      await page.locator('.codes').waitFor();
      await expectAccessible(page, `account-factors, ${locale}`);
      expect(await page.locator('html').getAttribute('lang')).to.equal(locale);
      expect(
        await page.evaluate<number>('document.documentElement.scrollWidth - window.innerWidth'),
      ).to.be.at.most(0);
    }
  });

  it('overview', () => inEveryLook(journeys, 'account', (page) => open(page, '/account')));

  it('devices and apps', () =>
    inEveryLook(journeys, 'account-access', async (page) => {
      const { stores, identity } = journeys.server.running;
      const doctor = await stores.accounts.byEmail('default', DOCTOR.login);
      await identity.access.endAll(doctor?.id ?? '');
      // One other browser beside this one.
      const other = await journeys.visit();
      await open(other, '/account');
      await signIn(page, await journeys.party(), DOCTOR);
      await page.goto(`${journeys.server.issuer}/account/access`);
      await page.getByRole('heading', { name: 'Apps with access' }).waitFor();
    }));

  it('a profile that cannot be taken', () =>
    inEveryLook(journeys, 'account-profile-refused', async (page) => {
      await open(page, '/account/profile');
      await page.getByLabel('Phone number').fill('call me');
      await page.getByRole('button', { name: 'Save' }).click();
      await page.getByRole('alert').waitFor();
    }));

  it('a changed address, to be proved', () =>
    inEveryLook(journeys, 'account-code', async (page) => {
      await open(page, '/account/address');
      await page.getByLabel('New email address').fill('elsewhere@clinic.test');
      await page.getByRole('button', { name: 'Send code' }).click();
      await page.getByRole('button', { name: 'Confirm' }).waitFor();
    }));

  it('a new key, shown once', () =>
    inEveryLook(journeys, 'account-key-made', async (page) => {
      await open(page, '/account/keys');
      await page.getByLabel('Name').fill('Night run');
      await page.getByLabel('read:users').check();
      await page.getByRole('button', { name: 'Create key' }).click();
      await page.getByText('it is shown only once').waitFor();
    }));

  it('account deleted', () =>
    inEveryLook(journeys, 'account-deleted', async (page) => {
      await page.goto(`${journeys.server.issuer}/account/deleted`);
    }));

  it('not signed in', () =>
    inEveryLook(journeys, 'account-closed', async (page) => {
      await page.goto(`${journeys.server.issuer}/account/signed-in`);
    }));
});
