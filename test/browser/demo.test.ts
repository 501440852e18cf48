/** The demo application and the mailbox, as a newcomer meets them. */
import path from 'node:path';
import { expect } from 'chai';
import type { Page } from '../support/browser.ts';
import { CLIENTS, PEOPLE } from '../support/server.ts';
import { resetPasswordEmailTo } from './email-links.ts';
import { enter, inEveryLook, type Journeys, startJourneys } from './journey.ts';

/** A person of the demo seed. */
const ADA = { login: 'ada@harbour.example', password: 'harbour lantern quartz' };

describe('the demo application', function () {
  this.timeout(60_000);
  let journeys: Journeys;

  before(async () => {
    journeys = await startJourneys({
      seeds: [PEOPLE, CLIENTS, path.join(import.meta.dirname, '../../config/seed/demo.yaml')],
      config: { demo: true, mail: { kind: 'mailbox' } },
    });
  });
  afterEach(() => journeys.settle());
  after(() => journeys.close());

  async function signInToDemo(page: Page) {
    await page.goto(`${journeys.server.issuer}/demo`);
    await page.getByRole('button', { name: 'Sign in with Portico' }).click();
    await enter(page, ADA);
    await page.getByRole('button', { name: 'Allow', exact: true }).click();
    await page.getByRole('heading', { name: 'You are signed in' }).waitFor();
  }

  it('signs in, shows decoded tokens, refreshes, asks userinfo, signs out', async () => {
    const page = await journeys.visit();
    await signInToDemo(page);
    const idToken = await page.locator('pre').first().textContent();
    expect(JSON.parse(idToken ?? '').claims).to.include({ iss: journeys.server.issuer, aud: 'demo' });
    const before = await page.locator('pre').allTextContents();

    await page.getByRole('button', { name: 'Refresh' }).click();
    await page.getByText('the tokens below are new').waitFor();
    const after = await page.locator('pre').allTextContents();
    expect(after.at(-1)).to.not.equal(before.at(-1));

    await page.getByRole('button', { name: 'Ask userinfo' }).click();
    await page.getByText(`"email": "${ADA.login}"`).waitFor();

    await page.getByRole('button', { name: 'Sign out' }).click();
    await page.getByRole('button', { name: 'Sign in with Portico' }).waitFor();
    await page.getByRole('button', { name: 'Sign in with Portico' }).click();
    await page.getByLabel('Password').waitFor();
  });

  it('says why when the person does not allow it', async () => {
    const page = await journeys.visit();
    await page.goto(`${journeys.server.issuer}/demo`);
    await page.getByRole('button', { name: 'Sign in with Portico' }).click();
    await enter(page, ADA);
    await page.getByRole('button', { name: 'Do not allow' }).click();
    expect(await page.getByRole('status').textContent()).to.contain('access_denied');
  });

  it('looks', () => inEveryLook(journeys, 'demo', signInToDemo));

  it('shows the emails that would have been sent, and their links work', async () => {
    await resetPasswordEmailTo(journeys.server, ADA.login);
    // It is on its way, and the page does not look for it again.
    await journeys.server.running.identity.mailer.drain(30_000);
    const page = await journeys.visit();
    await page.goto(`${journeys.server.issuer}/dev/mailbox`);
    await page.getByText(ADA.login).first().click();
    await page.locator('iframe').waitFor();
    await page.locator('pre a').first().click();
    await page.getByRole('heading', { name: 'Choose a new password' }).waitFor();
  });

  it('mailbox looks', () =>
    inEveryLook(journeys, 'mailbox', async (page) => {
      await page.goto(`${journeys.server.issuer}/dev/mailbox`);
    }));

  it('usage looks', async () => {
    const { issuer } = journeys.server;
    const body = JSON.stringify({ email: 'mara@clinic.test', password: 'Harbour-Lantern-Quartz-41' });
    for (const agent of ['OldApp/1.2 (iPhone)', 'NewApp/2.0', '<b>x</b>'])
      for (const path of ['sign-in', 'nothing'])
        await fetch(`${issuer}/api/therapist/v1/${path}`, {
          ...{ method: 'POST', body },
          headers: { 'content-type': 'application/json', 'user-agent': agent },
        });
    await inEveryLook(journeys, 'usage', async (page) => {
      await page.goto(`${issuer}/dev/usage`);
      await page.getByRole('img', { name: '6 requests in 30 days' }).waitFor();
      await page.getByRole('cell', { name: 'OldApp/1.2', exact: true }).first().waitFor();
      expect(await page.locator('script').count()).to.equal(0);
    });
  });

  it('is not there unless it is asked for', async () => {
    const plain = await startJourneys();
    for (const path of ['/demo', '/dev/mailbox', '/dev/usage']) {
      expect((await fetch(plain.server.url + path)).status, path).to.equal(404);
    }
    await plain.close();
  });
});
