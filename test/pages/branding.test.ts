/** An organization's name, logo, colours and links over every page of a sign-in, and over nobody else's. */
import { expect } from 'chai';
import { brandSheetAddress } from '../../src/http/views/brand-stylesheet.ts';
import { clinicdevApp, webApp } from '../support/clients.ts';
import { relyingParty } from '../support/relying-party.ts';
import { startTestServer, type TestServer } from '../support/server.ts';
import { openWebSession, type Page } from '../support/web-session.ts';

const BRANDING = {
  name: 'Lakeside Clinic',
  logo: 'https://cdn.lakeside.test/logo.svg',
  logoDark: 'https://dark.lakeside.test/logo.svg',
  accent: '#8A2BE2',
  support: 'https://lakeside.test/help',
  privacy: 'https://lakeside.test/privacy',
  terms: 'javascript:alert(1)',
};

describe('branding', () => {
  let server: TestServer;

  before(async () => {
    server = await startTestServer({
      config: { branding: { accent: '#b45309', support: 'https://portico.test/help' } },
    });
    const { organizations } = server.running.stores;
    const clinicdev = await organizations.byId('clinicdev');
    if (clinicdev === undefined) throw new Error('There is no organization clinicdev.');
    await organizations.put({ ...clinicdev, branding: BRANDING });
  });
  after(() => server.close());

  async function open(client = clinicdevApp, extra: Record<string, string> = {}): Promise<Page> {
    const { url } = await (await relyingParty(server.issuer, client)).begin(extra);
    const page = await openWebSession().open(url);
    if (typeof page === 'string') throw new Error(`The browser was sent to ${page}.`);
    return page;
  }

  const sheetsOf = ({ body }: { body: string }) =>
    [...body.matchAll(/<link rel="stylesheet" href="([^"]+)">/g)].map(([, href = '']) => href);

  it('is the organization’s where it has its own, and the policy lets its logo in', async () => {
    const { body, headers } = await open();
    expect(body).to.contain('Lakeside Clinic').and.not.contain('Portico');
    expect(body).to.contain('src="https://cdn.lakeside.test/logo.svg"');
    expect(body).to.contain(
      'srcset="https://dark.lakeside.test/logo.svg" media="(prefers-color-scheme: dark)"',
    );
    expect(body)
      .to.contain('href="https://lakeside.test/help"')
      .and.contain('href="https://lakeside.test/privacy"');
    const policy = headers.get('content-security-policy') ?? '';
    expect(policy).to.contain("img-src 'self' https://cdn.lakeside.test https://dark.lakeside.test;");
    expect(policy).to.contain("style-src 'self';").and.not.contain('unsafe');
  });

  it('S7 takes no address that is none of the web, and no colour that is none', async () => {
    expect((await open()).body).to.not.contain('javascript:');
    const { organizations } = server.running.stores;
    const clinicdev = await organizations.byId('clinicdev');
    if (clinicdev === undefined) throw new Error('There is no organization clinicdev.');
    const accent = '#fff;}body{background:url(//evil.test)}';
    await organizations.put({ ...clinicdev, branding: { ...BRANDING, accent } });
    const { body } = await open();
    expect(body).to.not.contain('evil.test');
    expect(sheetsOf({ body })[1]).to.equal(brandSheetAddress('#b45309'));
    await organizations.put({ ...clinicdev, branding: BRANDING });
  });

  it('is the server’s everywhere else', async () => {
    const { body } = await open(webApp);
    expect(body).to.contain('Portico').and.not.contain('Lakeside');
    expect(body).to.contain('href="https://portico.test/help"');
  });

  it('has a sheet per colour, kept for a year, with nothing in it but readable colours', async () => {
    const addresses = [sheetsOf(await open())[1] ?? '', sheetsOf(await open(webApp))[1] ?? ''];
    expect(new Set(addresses).size).to.equal(2);
    for (const address of addresses) {
      const reply = await fetch(server.url + address);
      expect(reply.status).to.equal(200);
      expect(reply.headers.get('content-type')).to.equal('text/css; charset=utf-8');
      expect(reply.headers.get('cache-control')).to.equal('public, max-age=31536000, immutable');
      expect(await reply.text()).to.match(
        /^:root\{--accent:#[0-9a-f]{6};--on-accent:#[0-9a-f]{6}\}\n@media \(prefers-color-scheme:dark\)\{:root\{[^{}]+\}\}\n$/,
      );
      expect(reply.headers.get('etag')).to.match(/^"[\w-]{16}"$/);
    }
  });

  it('keeps a sheet that was asked for without its hash for minutes only, and makes none of what is no colour', async () => {
    const plain = await fetch(`${server.url}/assets/brand/00ff00.css?v=old`);
    expect(plain.headers.get('cache-control')).to.equal('public, max-age=300');
    for (const name of ['red.css', '00ff0.css', '..%2f00ff00.css', '00ff00;}.css', '00FF00.css'])
      expect((await fetch(`${server.url}/assets/brand/${name}`)).status, name).to.equal(404);
  });

  it('is on the provider’s pages too, once the client is known', async () => {
    const url = new URL((await (await relyingParty(server.issuer, clinicdevApp)).begin()).url);
    url.searchParams.set('redirect_uri', 'https://evil.test/');
    url.searchParams.set('ui_locales', 'de');
    const page = await openWebSession().open(url.href);
    expect(page).to.have.property('status', 400);
    expect((page as Page).body)
      .to.contain('Lakeside Clinic')
      .and.contain('<html lang="de">');
  });
});
