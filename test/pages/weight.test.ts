/** What a page costs a phone on a slow line: the document, its stylesheets and its icon, uncompressed. */
import { expect } from 'chai';
import { initiateDeviceAuthorization } from 'openid-client';
import { tvApp } from '../support/clients.ts';
import { relyingParty } from '../support/relying-party.ts';
import { startTestServer, type TestServer } from '../support/server.ts';
import { openWebSession, type Page, type WebSession } from '../support/web-session.ts';

const LIMIT = 30_000;
/** A profile holds every language and every time zone there is, to be chosen from. */
const LIMITS: Readonly<Record<string, number>> = { '/account/profile': 52_000 };
const MARA = { login: 'mara@clinic.test', password: 'Harbour-Lantern-Quartz-41' };

describe('the weight of a page', () => {
  let server: TestServer;
  before(async () => {
    server = await startTestServer({ dialects: [] });
  });
  after(() => server.close());

  async function weigh({ body, url }: Page): Promise<number> {
    expect(body).to.not.match(/<script>|<script (?!src="\/assets\/show-password\.js\?)|<img|@import/);
    const addresses = [
      ...body.matchAll(/<(?:link rel="(?:stylesheet|icon)" href|script src)="([^"]+)"/g),
    ].map(([, href]) => href);
    expect(addresses.length).to.be.within(2, 4);
    const files = await Promise.all(
      addresses.map(async (href) => (await fetch(new URL(href ?? '', url))).arrayBuffer()),
    );
    return Buffer.byteLength(body) + files.reduce((sum, file) => sum + file.byteLength, 0);
  }

  async function everyPage(session: WebSession): Promise<[string, Page][]> {
    const open = async (path: string) =>
      [path, (await session.open(server.url + path)) as Page] as [string, Page];
    const party = await relyingParty(server.issuer);
    const scope = 'openid profile email phone address organization roles offline_access';
    const signIn = (await session.open((await party.begin({ scope, prompt: 'consent' })).url)) as Page;
    const refused = (await session.submit(signIn, { ...MARA, password: 'Not-The-Password-11' })) as Page;
    const consent = (await session.submit(refused, MARA)) as Page;
    expect(consent.body).to.contain('asks for access');
    const tv = await relyingParty(server.issuer, tvApp);
    const device = await initiateDeviceAuthorization(tv.configuration, { scope: 'openid profile email' });
    const entered = (await session.open(`${server.url}/device?user_code=${device.user_code}`)) as Page;
    const paths = [
      '/',
      '/nowhere',
      '/device',
      '/forgot',
      '/reset?token=x',
      '/reset/done',
      '/interaction/gone',
    ];
    const account = [
      '',
      '/profile',
      '/address',
      '/password',
      '/sign-ins',
      '/access',
      '/keys',
      '/data',
      '/delete',
    ];
    return [
      ['sign-in', signIn],
      ['sign-in, refused', refused],
      ['consent', consent],
      ['device, confirm', (await session.submit(entered, {})) as Page],
      ...(await Promise.all([...paths, '/logout', ...account.map((path) => `/account${path}`)].map(open))),
    ];
  }

  it('is under 30 kB for every page, with its stylesheets', async () => {
    const pages = await everyPage(openWebSession());
    expect(pages.length).to.be.above(20);
    for (const [name, shown] of pages) {
      const weight = await weigh(shown);
      expect(weight, name).to.be.within(3000, LIMITS[name] ?? LIMIT);
    }
  });
});
