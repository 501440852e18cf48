/**
 * Every page on a phone and on a desk, light and dark: without an accessibility fault, without scrolling
 * sideways, without breaking its own policy. SCREENSHOTS=1 takes the pictures of docs/screenshots.
 */
import { buildEndSessionUrl } from 'openid-client';
import {
  begin,
  enter,
  inEveryLook,
  type Journeys,
  MARA,
  resetLink,
  signIn,
  startJourneys,
} from './journey.ts';

describe('the looks of the pages', function () {
  this.timeout(60_000);
  let journeys: Journeys;

  before(async () => {
    journeys = await startJourneys({ config: { attempts: { pair: { limit: 1000 } } } });
  });
  afterEach(() => journeys.settle());
  after(() => journeys.close());

  it('sign-in', () =>
    inEveryLook(journeys, 'sign-in', async (page) => {
      await begin(page, await journeys.party());
    }));

  it('sign-in, refused', () =>
    inEveryLook(journeys, 'sign-in-refused', async (page) => {
      await begin(page, await journeys.party());
      await enter(page, { ...MARA, password: 'Not-The-Password-11' });
      await page.getByRole('alert').waitFor();
    }));

  it('consent', () =>
    inEveryLook(journeys, 'consent', async (page) => {
      const scope = 'openid profile email organization roles offline_access';
      await begin(page, await journeys.party(), { scope, prompt: 'consent' });
      await enter(page, MARA);
      await page.getByRole('button', { name: 'Allow', exact: true }).waitFor();
    }));

  it('sign out', () =>
    inEveryLook(journeys, 'confirm-logout', async (page) => {
      const party = await journeys.party();
      const started = await signIn(page, party);
      const { id_token } = await party.finish(started, page.url());
      await page.goto(buildEndSessionUrl(party.configuration, { id_token_hint: id_token ?? '' }).href);
      await page.getByRole('heading', { name: 'Sign out?' }).waitFor();
    }));

  it('signed out', () =>
    inEveryLook(journeys, 'signed-out', async (page) => {
      await page.goto(`${journeys.server.issuer}/logout/success`);
      await page.getByRole('heading', { name: 'You are signed out' }).waitFor();
    }));

  it('error', () =>
    inEveryLook(journeys, 'error', async (page) => {
      const { url } = await (await journeys.party()).begin({ client_id: 'nobody-knows-me' });
      await page.goto(url);
      await page.getByRole('heading', { name: 'We do not know this app' }).waitFor();
      await page.getByText('Details for support').click();
    }));

  it('expired', () =>
    inEveryLook(journeys, 'expired', async (page) => {
      await page.goto(`${journeys.server.issuer}/interaction/gone`);
      await page.getByRole('heading', { name: 'This sign-in has ended' }).waitFor();
    }));

  it('new password', () =>
    inEveryLook(journeys, 'reset', async (page) => {
      await page.goto(await resetLink(journeys));
      await page.getByRole('heading', { name: 'Choose a new password' }).waitFor();
    }));

  it('front', () =>
    inEveryLook(journeys, 'front', async (page) => {
      await page.goto(journeys.server.issuer);
    }));
});
