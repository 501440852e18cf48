/** Connecting a device with a phone, and with the keyboard alone. */
import { expect } from 'chai';
import { initiateDeviceAuthorization, pollDeviceAuthorizationGrant } from 'openid-client';
import { focused, type Page, PHONE } from '../support/browser.ts';
import { tvApp } from '../support/clients.ts';
import { enter, inEveryLook, type Journeys, MARA, startJourneys } from './journey.ts';

describe('connecting a device with a browser', function () {
  this.timeout(60_000);
  let journeys: Journeys;

  before(async () => {
    journeys = await startJourneys({ config: { attempts: { address: { limit: 1000 } } } });
  });
  afterEach(() => journeys.settle());
  after(() => journeys.close());

  async function start() {
    const { configuration } = await journeys.party(tvApp);
    const device = await initiateDeviceAuthorization(configuration, {
      scope: 'openid profile email offline_access',
    });
    const tokens = () => pollDeviceAuthorizationGrant(configuration, { ...device, interval: 0.05 });
    return { device, tokens };
  }

  async function open(page: Page): Promise<void> {
    await page.goto(`${journeys.server.issuer}/device`);
  }

  async function confirm(page: Page): Promise<void> {
    const { device } = await start();
    await page.goto(device.verification_uri_complete ?? '');
    await page.getByRole('button', { name: 'Continue' }).click();
    await page.getByRole('heading', { name: 'Connect this device?' }).waitFor();
  }

  it('goes by keyboard alone from the code to the device’s tokens', async () => {
    const [page, { device, tokens }] = await Promise.all([journeys.visit(), start()]);
    await open(page);
    await focused(page);
    await page.keyboard.type(device.user_code.toLowerCase());
    await page.keyboard.press('Enter');
    await page.getByRole('heading', { name: 'Connect this device?' }).waitFor();
    await page.keyboard.press('Tab');
    await page.keyboard.press('Enter');
    await page.getByLabel('Email or username').waitFor();
    await focused(page);
    await page.keyboard.type(MARA.login);
    await page.keyboard.press('Tab');
    await page.keyboard.type(MARA.password);
    await page.keyboard.press('Enter');
    await page.getByRole('heading', { name: 'TV App asks for access' }).waitFor();
    await page.keyboard.press('Tab');
    await page.keyboard.press('Enter');
    await page.getByRole('heading', { name: 'Your device is connected' }).waitFor();
    expect((await tokens()).access_token).to.be.a('string');
  });

  it('goes by thumb with JavaScript off', async () => {
    const [page, { device, tokens }] = await Promise.all([
      journeys.visit({ ...PHONE, javaScriptEnabled: false }),
      start(),
    ]);
    await page.goto(device.verification_uri_complete ?? '');
    await page.getByRole('button', { name: 'Continue' }).tap();
    await page.getByRole('button', { name: 'Connect', exact: true }).tap();
    await enter(page, MARA);
    await page.getByRole('button', { name: 'Allow', exact: true }).tap();
    await page.getByRole('heading', { name: 'Your device is connected' }).waitFor();
    expect((await tokens()).access_token).to.be.a('string');
  });

  it('S5 does not go on by another site’s form', async () => {
    const [page, { device, tokens }] = await Promise.all([journeys.visit(), start()]);
    await open(page);
    const { apps, server } = journeys;
    const before = apps.html;
    apps.html = `<!doctype html><title>App</title><form method="post" action="${server.issuer}/device">
      <input name="user_code" value="${device.user_code}"><input name="confirm" value="yes">
      <button>Win</button></form>`;
    await page.goto(apps.url);
    await page.getByRole('button', { name: 'Win' }).click();
    await page.getByRole('alert').waitFor();
    apps.html = before;
    const told = await Promise.race([
      tokens().catch(() => 'told no'),
      new Promise((resolve) => setTimeout(resolve, 300, 'still waiting')),
    ]);
    expect(told).to.equal('still waiting');
  });

  it('device', () => inEveryLook(journeys, 'device', open));

  it('device, refused', () =>
    inEveryLook(journeys, 'device-refused', async (page) => {
      await open(page);
      await page.getByLabel('Code').fill('bbbb-bbbb');
      await page.getByRole('button', { name: 'Continue' }).click();
      await page.getByRole('alert').waitFor();
    }));

  it('device, confirm', () => inEveryLook(journeys, 'device-confirm', confirm));

  it('device, stopped', () =>
    inEveryLook(journeys, 'device-stopped', async (page) => {
      await confirm(page);
      await page.getByRole('button', { name: 'Do not connect' }).click();
      await page.getByRole('heading', { name: 'Nothing was connected' }).waitFor();
    }));

  it('device, connected', () =>
    inEveryLook(journeys, 'device-connected', async (page) => {
      await confirm(page);
      await page.getByRole('button', { name: 'Connect', exact: true }).click();
      await enter(page, MARA);
      await page.getByRole('button', { name: 'Allow', exact: true }).click();
      await page.getByRole('heading', { name: 'Your device is connected' }).waitFor();
    }));
});
