/** The first page of a sign-in with everything on it, in a real browser. */
import { expect } from 'chai';
import type { Page } from '../../support/browser.ts';
import { begin, expectAccessible, inEveryLook, type Journeys, startJourneys } from '../journey.ts';

describe('the first page of a sign-in, in a browser', function () {
  this.timeout(60_000);
  let journeys: Journeys;

  before(async () => {
    journeys = await startJourneys({
      // A passkey belongs to a name, and not to an address of numbers.
      config: { issuer: 'http://localhost:0' },
      federation: ({ federation, openid }) => ({
        ...federation,
        openid: { keycloak: { ...openid.keycloak, title: 'Clinic North', domains: ['north.test'] } },
      }),
    });
    const { organizations } = journeys.server.running.stores;
    const known = await organizations.byId('default');
    const ways = ['passkey', 'keycloak', 'password', 'code', 'google'];
    if (known !== undefined) await organizations.put({ ...known, branding: { ways } });
  });
  afterEach(() => journeys.settle());
  after(() => journeys.close());

  const open = async (page: Page) => void (await begin(page, await journeys.party(journeys.ownApp)));
  const nameFirst = async (sign_in: string) => {
    const { organizations } = journeys.server.running.stores;
    const known = await organizations.byId('default');
    if (known !== undefined) await organizations.put({ ...known, branding: { ...known.branding, sign_in } });
  };

  it('has a passkey, a clinic’s own sign-in, both fields, a code and Google, in this order', () =>
    inEveryLook(journeys, 'sign-in-ways', async (page) => {
      await open(page);
      await page.getByRole('button', { name: 'passkey' }).waitFor();
      const [passkey, own, login, google] = await Promise.all(
        [
          page.getByRole('button', { name: 'passkey' }),
          page.getByRole('button', { name: 'Continue with Clinic North' }),
          page.getByLabel('Email or username'),
          page.getByRole('button', { name: 'Continue with Google' }),
        ].map(async (part) => (await part.boundingBox())?.y ?? 0),
      );
      const order = [passkey, own, login, google];
      expect(order).to.deep.equal(order.toSorted((one = 0, two = 0) => one - two));
    }));

  it('speaks three languages, and works without scripts', async () => {
    const words = {
      en: 'Continue with Clinic North',
      de: 'Weiter mit Clinic North',
      es: 'Continuar con Clinic North',
    };
    for (const [locale, text] of Object.entries(words)) {
      const page = await journeys.visit({ locale, javaScriptEnabled: locale !== 'es' });
      await open(page);
      await page.getByRole('button', { name: text }).waitFor();
      if (locale !== 'es') await expectAccessible(page, locale);
      const forms = await page.locator('form[data-request]:visible').count();
      expect(forms, 'a passkey needs a script').to.equal(locale === 'es' ? 0 : 1);
    }
  });

  it('leads from the address to its own sign-in and back, by the keyboard alone', async () => {
    await nameFirst('name-first');
    const page = await journeys.visit();
    await open(page);
    const person = { sub: 'nia', email: 'nia@north.test', email_verified: true };
    journeys.server.upstream.nextPerson('keycloak', person);
    await page.getByLabel('Email or username').waitFor();
    const hint = page.waitForRequest(/\/realms\/keycloak\/authorize/);
    await page.keyboard.type(person.email);
    await page.keyboard.press('Enter');
    expect(new URL((await hint).url()).searchParams.get('login_hint')).to.equal(person.email);
    // No account can be opened here: the person is back, and the address is not asked whether it has one.
    await page.getByText('There is no account here for this Clinic North account').waitFor();
    await nameFirst('password');
  });
});
