/** What people read of an API that an app asks for: its name and what each scope allows, in their language. */
import { expect } from 'chai';
import { initiateDeviceAuthorization } from 'openid-client';
import { withGrant } from '../../src/model/client.ts';
import { tvApp } from '../support/clients.ts';
import { relyingParty } from '../support/relying-party.ts';
import { startTestServer, type TestServer } from '../support/server.ts';
import { openWebSession, type Page } from '../support/web-session.ts';

const MARA = { login: 'mara@clinic.test', password: 'Harbour-Lantern-Quartz-41' };
const RECORDS = 'https://records.test';

describe('an API on the pages', () => {
  let server: TestServer;

  before(async () => {
    server = await startTestServer();
    const { apis, clients } = server.running.stores;
    await apis.put({
      ...{ id: 'records', identifier: RECORDS, format: 'jwt', algorithm: 'ES256' },
      name: { en: 'Patient <records>', de: 'Akten' },
      scopes: {
        read: { description: { en: 'read records', de: 'Akten lesen' } },
        plain: {},
        purge: { description: 'destroy records', roles: ['nobody-has-it'] },
      },
    });
    const television = await clients.byId(tvApp.clientId);
    if (television === undefined) throw new Error('There is no television.');
    await clients.put(withGrant(television, RECORDS, { scopes: ['read', 'plain', 'purge'] }));
  });
  after(() => server.close());

  function page(shown: Page | string): Page {
    if (typeof shown === 'string') throw new Error(`The browser was sent to ${shown}.`);
    return shown;
  }

  for (const [language, name, read, address] of [
    ['en', 'Patient &lt;records&gt;', 'read records', '203.0.113.61'],
    ['de-AT', 'Akten', 'Akten lesen', '203.0.113.62'],
    ['fr', 'Patient &lt;records&gt;', 'read records', '203.0.113.63'],
  ] as const) {
    it(`API9 is named with what its scopes allow (${language})`, async () => {
      const { configuration } = await relyingParty(server.issuer, tvApp);
      const scope = 'openid offline_access read plain purge';
      const device = await initiateDeviceAuthorization(configuration, { scope, resource: RECORDS });
      const headers = { 'accept-language': language, 'x-forwarded-for': address };
      const session = openWebSession({ headers });
      const entry = page(await session.open(`${server.issuer}/device`));
      const confirm = page(await session.submit(entry, { user_code: device.user_code }));
      const signIn = page(await session.submit(confirm, {}));
      const consent = page(await session.submit(signIn, MARA));
      for (const shown of [confirm, consent]) {
        expect(shown.body).to.contain(`${name}: ${read}`).and.contain(`${name}: plain`);
        expect(shown.body).not.to.contain(`“read”`);
      }
      // Who will sign in, and with which roles, is not known before.
      expect(confirm.body).to.contain('destroy records');
      expect(consent.body).not.to.contain('destroy records');
    });
  }
});
