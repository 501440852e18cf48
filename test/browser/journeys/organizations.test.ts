/** An app of several organizations, in a browser: whose sign-in it is, and on to the app. */
import { expect } from 'chai';
import { focused } from '../../support/browser.ts';
import { begin, expectAccessible, inEveryLook, type Journeys, MARA, startJourneys } from '../journey.ts';

const LEA = { login: 'lea@x.test', password: 'Marble-Orchid-Signal-33' };

describe('a person of one of several organizations', function () {
  this.timeout(120_000);
  let journeys: Journeys;

  before(async () => {
    journeys = await startJourneys();
    const { organizations, clients } = journeys.server.running.stores;
    const north = await organizations.byId('north_clinic');
    const app = await clients.byId(journeys.ownApp.clientId);
    if (north === undefined || app === undefined) throw new Error('The seed has changed.');
    const branding = { name: 'North Clinic' };
    await organizations.put({ ...north, emailDomains: ['x.test'], branding });
    await clients.put({ ...app, metadata: { ...app.metadata, organizations: [north.id] } });
  });
  afterEach(() => journeys.settle());
  after(() => journeys.close());

  it('ORG1 says who they are by keyboard, signs in under the organization’s brand, and stays in it', async () => {
    const party = await journeys.party(journeys.ownApp);
    const page = await journeys.visit();
    const started = await begin(page, party);
    await focused(page);
    await expectAccessible(page);
    await page.keyboard.type('someone@elsewhere.test');
    await page.keyboard.press('Enter');
    await page.getByLabel('Password').waitFor();
    expect(await page.title()).to.not.contain('North Clinic');
    await page.getByRole('button', { name: 'Another organization' }).click();
    await page.getByLabel('Password').waitFor({ state: 'detached' });
    await page.getByLabel('Email or username').fill(LEA.login);
    await page.keyboard.press('Enter');
    await page.getByLabel('Password').waitFor();
    expect(await page.title()).to.contain('North Clinic');
    await page.reload();
    expect(await page.getByLabel('Email or username').inputValue()).to.equal(LEA.login);
    await page.getByLabel('Password').fill(LEA.password);
    await page.keyboard.press('Enter');
    await page.getByText('The app').waitFor();
    const tokens = await party.finish(started, page.url());
    expect(tokens.claims()).to.have.property('organization', 'north_clinic');

    // Signed in there: the app comes back without a question, and another organization asks.
    const again = await begin(page, party);
    await page.getByText('The app').waitFor();
    expect((await party.finish(again, page.url())).claims()?.sub).to.equal(tokens.claims()?.sub);
    const other = await begin(page, party, { organization: 'default' });
    await page.getByLabel('Email or username').fill(MARA.login);
    await page.getByLabel('Password').fill(MARA.password);
    await page.keyboard.press('Enter');
    await page.getByText('The app').waitFor();
    expect((await party.finish(other, page.url())).claims()).to.have.property('organization', 'default');
  });

  it('finds the page that asks in every look', async () => {
    const party = await journeys.party(journeys.ownApp);
    await inEveryLook(journeys, 'organization', async (page) => {
      await begin(page, party);
      await page.getByLabel('Email or username').waitFor();
    });
  });
});
