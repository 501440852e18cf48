/** Emails as a mail program shows them that knows dark schemes, on a phone and on a desk. */
import { expect } from 'chai';
import type { Email } from '../../src/mail/mailer.ts';
import { createEmails } from '../../src/mail/templates.ts';
import { createEmailBrands } from '../../src/pages/shared/email-brand.ts';
import { inEveryLook, type Journeys, startJourneys } from './journey.ts';

const LOGO = 'https://kids.test/logo.svg';
const DARK_LOGO = 'https://kids.test/dark.svg';

describe('the looks of the emails', function () {
  this.timeout(60_000);
  let journeys: Journeys;

  before(async () => {
    journeys = await startJourneys({ dialects: [] });
    const { clients, organizations } = journeys.server.running.stores;
    const organization = await organizations.byId('default');
    const client = await clients.byId(journeys.ownApp.clientId);
    if (organization === undefined || client === undefined) throw new Error('The demo data is not there.');
    await organizations.put({ ...organization, branding: { name: 'Harbour Clinic', accent: '#1d4ed8' } });
    const branding = { name: 'Harbour Kids', logo: LOGO, logo_dark: DARK_LOGO, accent: '#c2410c' };
    await clients.put({ ...client, metadata: { ...client.metadata, branding } });
  });
  afterEach(() => journeys.settle());
  after(() => journeys.close());

  /** As the server sends it. */
  async function render(email: Pick<Email, 'name' | 'data'> & Partial<Email>) {
    const { stores } = journeys.server.running;
    const brand = {
      name: 'Portico',
      links: [],
      colours: {
        light: { accent: '#1f6f5c', onAccent: '#ffffff' },
        dark: { accent: '#6ec5ae', onAccent: '#06231b' },
      },
    };
    const letters = createEmails({ from: 'Portico <no-reply@id.test>', issuer: 'https://id.test', brand });
    const letter = { to: 'mara@clinic.test', organization: 'none', ...email };
    const views = { brand, say: String, choose: String, render: () => ({ html: '', scripts: false }) };
    return letters.render(letter, await createEmailBrands({ stores, views })(letter));
  }

  const link =
    'https://id.test/reset?token=rst_abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQ&organization=default';
  const emails: readonly (readonly [string, Pick<Email, 'name' | 'data'> & Partial<Email>, string])[] = [
    ['email-code', { name: 'code', data: { code: '048213', lifetime: 600 } }, 'Portico'],
    [
      'email-reset-link',
      { name: 'reset-link', data: { link, lifetime: 3600 }, organization: 'default' },
      'Harbour Clinic',
    ],
    [
      'email-account-exists',
      { name: 'account-exists', data: {}, organization: 'default', locale: 'de' },
      'Harbour Clinic',
    ],
    [
      'email-client-brand',
      {
        name: 'register-code',
        data: { code: '048213', lifetime: 600 },
        organization: 'default',
        locale: 'es',
      },
      'Harbour Clinic',
    ],
  ];

  for (const [name, email, sender] of emails) {
    it(name, async () => {
      const client = name === 'email-client-brand' ? { client: journeys.ownApp.clientId } : {};
      const { html, from } = await render({ ...email, ...client });
      expect(from.name).to.equal(sender);
      await inEveryLook(journeys, name, async (page) => {
        await page.route('https://kids.test/*.svg', (route) => {
          const fill = route.request().url() === LOGO ? '#c2410c' : '#fdba74';
          const body = `<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 32 32"><path fill="${fill}" d="M2 22h28l-4 8H6zM15 2v18H4zM17 6v14h10z"/></svg>`;
          return route.fulfill({ contentType: 'image/svg+xml', body });
        });
        await page.setContent(html);
        await page.getByRole('heading').waitFor();
      });
    });
  }
});
