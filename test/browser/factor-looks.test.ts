/** The pages of second factors in every look (see looks.test.ts), at a host that can have passkeys. */

import { expect } from 'chai';
import { rememberDevice } from '../../src/identity/factors/remembered-devices.ts';
import { resetFactors } from '../../src/identity/factors/reset-factors.ts';
import { createAuthenticator } from '../support/authenticator.ts';
import { giveApp, shownBy } from '../support/authenticator-app.ts';
import type { Page } from '../support/browser.ts';
import { AT_A_HOST, givePasskey } from '../support/passkeys.ts';
import {
  begin,
  DOCTOR,
  enter,
  expectAccessible,
  inEveryLook,
  type Journeys,
  MARA,
  startJourneys,
} from './journey.ts';

const CONTEXT = { address: '192.0.2.1', requestId: 'r-1', clientId: 'portico', channel: 'hosted' } as const;

describe('the looks of the pages of second factors', function () {
  this.timeout(60_000);
  let journeys: Journeys;
  let codes: string[];

  before(async () => {
    journeys = await startJourneys({
      config: {
        ...AT_A_HOST,
        attempts: { pair: { limit: 1000 }, address: { limit: 1000 } },
        dialects: {
          visitnote: { factors: 'app-passwords' },
          careportals: { factors: 'app-passwords' },
          medisync: { factors: 'allow' },
        },
      },
    });
    const { server } = journeys;
    const { stores, identity } = server.running;
    const doctor = await stores.accounts.byEmail('default', DOCTOR.login);
    if (doctor === undefined) throw new Error('The doctor is not there.');
    codes = [...(await giveApp(identity, doctor.id)).recoveryCodes];
    await rememberDevice(identity, {
      ...{ account: doctor, days: 30, name: 'Firefox on Windows' },
      context: CONTEXT,
    });
    await givePasskey(server, doctor.id, createAuthenticator({ origin: server.issuer }));
  });
  afterEach(() => journeys.settle());
  after(() => journeys.close());

  async function toSecondFactor(page: Page): Promise<void> {
    await begin(page, await journeys.party());
    await enter(page, DOCTOR);
    await page.getByLabel('Code from your authenticator app').waitFor();
  }

  it('second factor', () => inEveryLook(journeys, 'second-factor', toSecondFactor));

  it('second factor, refused', () =>
    inEveryLook(journeys, 'second-factor-refused', async (page) => {
      await toSecondFactor(page);
      await page.getByLabel('Code from your authenticator app').fill('000000');
      await page.getByRole('button', { name: 'Continue' }).first().click();
      await page.getByText('This code is wrong').waitFor();
      await page.getByText('Use a recovery code instead').click();
    }));

  async function openFactors(page: Page, who = MARA): Promise<void> {
    await page.goto(`${journeys.server.issuer}/account`);
    await enter(page, who);
    if (who === DOCTOR) {
      await page.getByText('Use a recovery code instead').click();
      await page.getByLabel('Recovery code').fill(codes.pop() ?? '');
      await page.getByRole('button', { name: 'Continue' }).last().click();
    }
    await page.getByRole('heading', { name: 'My account', exact: true }).waitFor();
    await page.goto(`${journeys.server.issuer}/account/factors`);
  }

  it('my account, without a factor', () =>
    inEveryLook(journeys, 'account-factors', (page) => openFactors(page)));

  it('my account, with all that there is', () =>
    inEveryLook(journeys, 'account-factors-all', (page) => openFactors(page, DOCTOR)));

  it('an authenticator app', () =>
    inEveryLook(journeys, 'account-app', async (page) => {
      await openFactors(page);
      await page.getByRole('button', { name: 'Set up an authenticator app' }).click();
      await page.getByRole('button', { name: 'Confirm' }).waitFor();
    }));

  it('an app password, shown once', () =>
    inEveryLook(journeys, 'account-app-password', async (page) => {
      await openFactors(page, DOCTOR);
      await page.getByLabel('Name', { exact: true }).fill('Phone at the practice');
      await page.getByRole('button', { name: 'Make app password' }).click();
      await page.getByText('it is shown only once').waitFor();
    }));

  it('a factor to set up on the way, and how that ends', async () => {
    const { clients } = journeys.server.running.stores;
    const known = await clients.byId(journeys.ownApp.clientId);
    if (known === undefined) throw new Error('The client is not there.');
    const factors = { require: 'required', since: '2026-01-01T00:00:00.000Z', graceDays: 0 };
    await clients.put({ ...known, metadata: { ...known.metadata, factors } });
    await inEveryLook(journeys, 'set-up-factor', async (page) => {
      await begin(page, await journeys.party(journeys.ownApp));
      await enter(page, MARA);
      await page.getByRole('heading', { name: 'Protect your sign-in' }).waitFor();
    });
    const toApp = async (page: Page) => {
      await begin(page, await journeys.party(journeys.ownApp));
      await enter(page, MARA);
      await page.getByRole('button', { name: 'Set up an authenticator app' }).click();
      await page.getByRole('button', { name: 'Confirm' }).waitFor();
    };
    await inEveryLook(journeys, 'set-up-app', toApp);
    const { stores, identity } = journeys.server.running;
    await inEveryLook(journeys, 'factor-is-set-up', async (page) => {
      const mara = await stores.accounts.byEmail('default', MARA.login);
      if (mara === undefined) throw new Error('Mara is not there.');
      await resetFactors(identity, { accountId: mara.id, context: CONTEXT });
      await toApp(page);
      const secret = (await page.locator('pre.key').innerText()).replaceAll(/\s/g, '');
      await page.locator('#code').fill(shownBy(secret, identity.clock.now()));
      await page.getByRole('button', { name: 'Confirm' }).click();
      await page.getByText('recovery codes').first().waitFor();
    });
  });

  it('a phone’s width in German and Spanish', async () => {
    for (const locale of ['de', 'es']) {
      const page = await journeys.visit({ locale, viewport: { width: 320, height: 640 } });
      const check = async (what: string) => {
        await expectAccessible(page, `${what}, ${locale}`);
        const over = await page.evaluate<number>('document.documentElement.scrollWidth - window.innerWidth');
        expect(over, `${what}, ${locale}`).to.be.at.most(0);
        expect(await page.locator('html').getAttribute('lang')).to.equal(locale);
      };
      await begin(page, await journeys.party());
      await page.locator('form[data-request]').waitFor();
      await check('sign-in');
      await page.locator('input[name="login"]').fill(DOCTOR.login);
      await page.locator('input[name="password"]').fill(DOCTOR.password);
      await page.locator('form:has(input[name="password"]) button.primary').click();
      await page.locator('form[action$="/app-code"]').waitFor();
      await check('second-factor');
    }
  });
});
