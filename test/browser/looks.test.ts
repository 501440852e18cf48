/**
 * Every page on a phone and on a desk, light and dark: without an accessibility fault, without scrolling
 * sideways, without breaking its own policy. SCREENSHOTS=1 takes the pictures of docs/screenshots.
 */
import { buildEndSessionUrl } from 'openid-client';
import { authorize } from '../oidc/document-flows.ts';
import { type DocumentSite, startDocumentSite } from '../support/document-site.ts';
import { verificationLink } from './email-links.ts';
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
  let site: DocumentSite;

  before(async () => {
    site = await startDocumentSite();
    journeys = await startJourneys({
      config: {
        attempts: { pair: { limit: 1000 } },
        oidc: { clientIdMetadataDocuments: { hosts: [site.host], organization: 'default' } },
        outbound: { allowPrivate: true },
      },
    });
  });
  afterEach(() => journeys.settle());
  after(() => Promise.all([journeys.close(), site.close()]));

  it('sign-in', () =>
    inEveryLook(journeys, 'sign-in', async (page) => {
      await begin(page, await journeys.party());
    }));

  it('sign-in, with the brand of the app', async () => {
    const { clients } = journeys.server.running.stores;
    const known = await clients.byId(journeys.ownApp.clientId);
    if (known === undefined) throw new Error('The client is not there.');
    const [logo, logo_dark] = ['https://kids.test/light.svg', 'https://kids.test/dark.svg'];
    const branding = {
      name: 'Harbour Kids',
      logo,
      logo_dark,
      accent: '#c2410c',
      support: 'https://kids.test/help',
    };
    await clients.put({ ...known, metadata: { ...known.metadata, branding } });
    await inEveryLook(journeys, 'sign-in-client-brand', async (page) => {
      await page.route('https://kids.test/*.svg', (route) => {
        const fill = route.request().url() === logo ? '#c2410c' : '#fdba74';
        const drawing = `<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 32 32"><path fill="${fill}" d="M2 22h28l-4 8H6zM15 2v18H4zM17 6v14h10z"/></svg>`;
        return route.fulfill({ contentType: 'image/svg+xml', body: drawing });
      });
      await begin(page, await journeys.party(journeys.ownApp));
      await page.getByText('Harbour Kids').waitFor();
      // The page's policy lets the picture in.
      await page.waitForFunction('document.querySelector(".brand img").naturalWidth > 0');
    });
  });

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

  it('consent for an app that no operator registered', () =>
    inEveryLook(journeys, 'consent-unregistered', async (page) => {
      const clientId = site.document('/quill.json');
      await page.goto(authorize(journeys.server.url, clientId, { scope: 'openid', resource: '' }).url);
      await enter(page, MARA);
      await page.getByText('which cannot be checked').waitFor();
      await page.getByRole('button', { name: 'Allow', exact: true }).waitFor();
    }));

  it('sign out', () =>
    inEveryLook(journeys, 'confirm-logout', async (page) => {
      const party = await journeys.party();
      await signIn(page, party);
      await page.goto(buildEndSessionUrl(party.configuration, {}).href);
      await page.getByRole('heading', { name: 'Sign out?' }).waitFor();
    }));

  it('signed out', () =>
    inEveryLook(journeys, 'signed-out', async (page) => {
      await page.goto(`${journeys.server.issuer}/logout/success`);
      await page.getByRole('heading', { name: 'You are signed out' }).waitFor();
    }));

  it('still signed in', () =>
    inEveryLook(journeys, 'still-signed-in', async (page) => {
      await signIn(page, await journeys.party());
      await page.goto(`${journeys.server.issuer}/logout`);
      await page.getByRole('button', { name: 'Stay signed in' }).click();
      await page.getByRole('heading', { name: 'You are still signed in' }).waitFor();
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

  for (const [name, path, heading] of [
    ['reset-refused', '/reset?token=gone', 'This link no longer works'],
    ['reset-done', '/reset/done', 'Your password has been changed'],
    ['verify-address', '/api/verification/verify?token=vt_x', 'Confirm your email address'],
  ] as const) {
    it(name, () =>
      inEveryLook(journeys, name, async (page) => {
        await page.goto(journeys.server.issuer + path);
        await page.getByRole('heading', { name: heading }).waitFor();
      }),
    );
  }

  it('address confirmed', () =>
    inEveryLook(journeys, 'address-verified', async (page) => {
      await page.goto(await verificationLink(journeys.server, 'unverified@ward.test'));
      await page.getByRole('button', { name: 'Confirm email address' }).click();
      await page.getByRole('heading', { name: 'Your email address is confirmed' }).waitFor();
    }));

  it('front', () =>
    inEveryLook(journeys, 'front', async (page) => {
      await page.goto(journeys.server.issuer);
    }));
});
