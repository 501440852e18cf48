/** Passkeys in Chromium with its virtual authenticator: every journey as a person walks it. */
import { createServer } from 'node:http';
import type { AddressInfo } from 'node:net';
import { expect } from 'chai';
import { passkeysOf } from '../../src/model/factors.ts';
import type { Page } from '../support/browser.ts';
import { AT_A_HOST } from '../support/passkeys.ts';
import { attachAuthenticator, type VirtualAuthenticator } from '../support/virtual-authenticator.ts';
import { type Journeys, MARA, startJourneys } from './journey.ts';

const BUTTON = { name: 'Sign in with a passkey' };

describe('passkeys in a browser', () => {
  let journeys: Journeys;
  /** Mara's browser, and her device. */
  let page: Page;
  let device: VirtualAuthenticator;
  before(async () => {
    journeys = await startJourneys({ config: AT_A_HOST });
    page = await journeys.visit();
    device = await attachAuthenticator(page);
  });
  after(() => journeys.close());

  const open = (path: string, at = page) => at.goto(journeys.server.issuer + path);
  const heading = (name: string, at = page) => at.getByRole('heading', { name, exact: true }).waitFor();
  const mara = async () => {
    const account = await journeys.server.running.stores.accounts.byEmail('default', MARA.login);
    return account ?? expect.fail('Mara is gone.');
  };
  /** The first page of a sign-in in a new browser: the device stays, and waits. */
  const begin = async () => {
    await device.touches(false);
    await page.context().clearCookies();
    await open('/account');
    await page.getByRole('button', BUTTON).waitFor();
  };
  const press = async (button = BUTTON) => {
    await device.touches(true);
    await page.getByRole('button', button).click();
  };
  /** What Mara's browser gives a page for its options, without sending it. */
  const answer = async (at: Page) => {
    const options = await at.locator('[data-request]').getAttribute('data-request');
    await device.touches(true);
    const response = await page.evaluate<string>(
      `SimpleWebAuthnBrowser.startAuthentication({ optionsJSON: ${options} }).then(JSON.stringify)`,
    );
    await device.touches(false);
    return response;
  };
  const sendAnswer = (at: Page, response: string) =>
    at.evaluate(`{
      const form = document.querySelector('[data-request]');
      form.elements.response.value = ${JSON.stringify(response)};
      form.submit();
    }`);

  it('N3 N1 one is added on my account, and signs in alone by its button', async () => {
    await open('/account/factors');
    await page.getByLabel('Email or username').fill(MARA.login);
    await page.getByLabel('Password').fill(MARA.password);
    await page.getByRole('button', { name: 'Sign in', exact: true }).click();
    await heading('Sign-in protection');
    await page.locator('#passkey-name').fill('Work laptop');
    await device.unlocks(false);
    await page.getByRole('button', { name: 'Add a passkey' }).click();
    await page.getByText('No passkey was created. Try again when you are ready.').waitFor();
    await device.unlocks(true);
    await page.getByRole('button', { name: 'Add a passkey' }).click();
    await page.getByText('The passkey has been added to your account.').waitFor();
    expect(await page.getByText('Work laptop').count()).to.equal(1);
    expect(await device.count()).to.equal(1);
    await begin();
    await press();
    await heading('My account');
    const [passkey] = passkeysOf(await mara());
    expect(passkey?.lastUsedAt).to.be.a('string');
    expect(passkey?.counter).to.be.above(1);
  });

  it('N1 it signs in from the suggestions of the first field', async () => {
    await begin();
    await device.touches(true);
    await page.reload();
    await heading('My account');
  });

  it('N7 it confirms a password, and no page is reached before', async () => {
    await begin();
    await page.getByLabel('Email or username').fill(MARA.login);
    await page.getByLabel('Password').fill(MARA.password);
    await page.getByRole('button', { name: 'Sign in', exact: true }).click();
    await page.getByRole('button', { name: 'Use a passkey' }).waitFor();
    await press({ name: 'Use a passkey' });
    await heading('My account');
  });

  it('what the person does not go through with ends in words, and every way stays open', async () => {
    await begin();
    await device.unlocks(false);
    await press();
    await page.getByText('No passkey was used. Try again, or choose another way.').waitFor();
    expect(await page.getByLabel('Password').isVisible()).to.equal(true);
    await device.unlocks(true);
    await press();
    await heading('My account');
  });

  it('N1 a page of another origin, with the same challenge and host, gets an answer that is refused', async () => {
    const elsewhere = createServer((_request, response) => {
      response.setHeader('content-type', 'text/html');
      response.end('<!doctype html><title>Elsewhere</title>');
    });
    await new Promise<void>((resolve) => elsewhere.listen(0, '127.0.0.1', resolve));
    const { port } = elsewhere.address() as AddressInfo;
    await begin();
    const here = page.url();
    const options = await page.locator('[data-request]').getAttribute('data-request');
    await page.goto(`http://localhost:${port}/`);
    const script = await (await fetch(`${journeys.server.issuer}/assets/simplewebauthn.js`)).text();
    await page.addScriptTag({ content: script });
    await device.touches(true);
    const stolen = await page.evaluate<string>(
      `SimpleWebAuthnBrowser.startAuthentication({ optionsJSON: ${options} }).then(JSON.stringify)`,
    );
    elsewhere.closeAllConnections();
    elsewhere.close();
    await device.touches(false);
    await page.goto(here);
    await sendAnswer(page, stolen);
    await page.getByText('This passkey was not accepted.').waitFor();
  });

  it('N1 an answer is good once, in its own browser and its own tab', async () => {
    await begin();
    const [tab, other] = await Promise.all([page.context().newPage(), journeys.visit()]);
    await Promise.all([open('/account', tab), open('/account', other)]);
    const response = await answer(page);
    for (const at of [tab, other]) {
      await sendAnswer(at, response);
      await at.getByText('This page was not the newest one.').waitFor();
    }
    const ofTab = await answer(tab);
    await sendAnswer(page, response);
    await heading('My account');
    // Both tabs of a browser sign in, each with the answer to its own page.
    await sendAnswer(tab, ofTab);
    await heading('My account', tab);
    await tab.close();
    await begin();
    await sendAnswer(page, response);
    await page.getByText('This page was not the newest one.').waitFor();
    await press();
    await heading('My account');
  });

  it('N2 a copy of the passkey whose count is behind is refused', async () => {
    await begin();
    const [passkey] = passkeysOf(await mara());
    await device.rewind(1);
    await sendAnswer(page, await answer(page));
    await page.getByText('This passkey was not accepted.').waitFor();
    await device.rewind((passkey?.counter ?? 0) + 1);
    await press();
    await heading('My account');
  });

  it('a browser without scripts is told what passkeys need, and signs in another way', async () => {
    const plain = await journeys.visit({ javaScriptEnabled: false });
    await open('/account', plain);
    expect(await plain.getByRole('button', BUTTON).count()).to.equal(0);
    expect(await plain.locator('main').innerText()).to.contain('Passkeys need JavaScript');
    await plain.getByLabel('Email or username').fill(MARA.login);
    await plain.getByLabel('Password').fill(MARA.password);
    await plain.getByRole('button', { name: 'Sign in', exact: true }).click();
    await plain.getByText('recovery code').first().waitFor();
    expect(await plain.locator('main').innerText()).to.contain('Passkeys need JavaScript');
  });

  it('a device without a passkey of the account, and a host that is not ours, end in words', async () => {
    await begin();
    await device.forgetAll();
    await press();
    await page.getByText('No passkey was used.').waitFor();
    await page.goto(`${journeys.server.url}/account`);
    await press();
    await page.getByText('Your browser could not use a passkey here.').waitFor();
  });
});
