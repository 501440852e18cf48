/** One client's own name, logo, colours and links, over its organization's, on every page of its people's way. */
import { expect } from 'chai';
import { buildEndSessionUrl, initiateDeviceAuthorization } from 'openid-client';
import { brandSheetAddress } from '../../src/http/views/brand-stylesheet.ts';
import type { Json } from '../../src/model/json.ts';
import { ACR } from '../../src/oidc/contract.ts';
import { clinicdevApp, type TestClient, tvApp, webApp, webAppPost } from '../support/clients.ts';
import { relyingParty } from '../support/relying-party.ts';
import { startTestServer, type TestServer } from '../support/server.ts';
import { openWebSession, type Page, type WebSession } from '../support/web-session.ts';

const MARA = { login: 'mara@clinic.test', password: 'Harbour-Lantern-Quartz-41' };

const HARBOUR = {
  name: 'Harbour Practice',
  logo: 'https://cdn.harbour.test/logo.svg',
  accent: '#b45309',
  support: 'https://harbour.test/help',
  terms: 'https://harbour.test/terms',
};
const KIDS = {
  name: 'Harbour <Kids>',
  logo: 'https://kids.harbour.test/logo.svg',
  logo_dark: 'https://dark.kids.harbour.test/logo.svg',
  accent: '#8a2be2',
  support: 'https://kids.harbour.test/help',
};

describe('the brand of a client', () => {
  let server: TestServer;

  before(async () => {
    server = await startTestServer();
    await organize({ branding: HARBOUR });
    await dress(webApp, { branding: KIDS, registration: true });
    await dress(tvApp, { branding: KIDS });
  });
  after(() => server.close());

  async function organize(members: { branding: Record<string, Json> }): Promise<void> {
    const { organizations } = server.running.stores;
    const known = await organizations.byId('default');
    if (known === undefined) throw new Error('There is no organization default.');
    await organizations.put({ ...known, ...members });
  }

  async function dress({ clientId }: TestClient, metadata: Record<string, Json>): Promise<void> {
    const { clients } = server.running.stores;
    const known = await clients.byId(clientId);
    if (known === undefined) throw new Error(`There is no client ${clientId}.`);
    await clients.put({ ...known, metadata: { ...known.metadata, ...metadata } });
  }

  function page(shown: Page | string): Page {
    if (typeof shown === 'string') throw new Error(`The browser was sent to ${shown}.`);
    return shown;
  }

  async function begin(
    client: TestClient = webApp,
    extra: Record<string, string> = {},
    session: WebSession = openWebSession(),
  ) {
    const { url } = await (await relyingParty(server.issuer, client)).begin(extra);
    return { session, at: page(await session.open(url)) };
  }

  const linkIn = ({ body, url }: Page, start: string) => {
    const [, href = ''] = new RegExp(`href="(${start}[^"]*)"`).exec(body) ?? [];
    return new URL(href.replaceAll('&amp;', '&'), url).href;
  };

  function expectKids({ body, headers }: Page, what: string): void {
    expect(body, what).to.contain('<span>Harbour &lt;Kids&gt;</span>').and.not.contain('<Kids>');
    expect(body, what).to.match(/<title>[^<]* · Harbour &lt;Kids&gt;<\/title>/);
    expect(body, what).to.contain(`src="${KIDS.logo}"`).and.contain(`srcset="${KIDS.logo_dark}"`);
    expect(body, what).to.contain(`href="${brandSheetAddress(KIDS.accent)}"`);
    expect(body, what).to.contain(`href="${KIDS.support}"`).and.not.contain(HARBOUR.support);
    // What it has none of is its organization's.
    expect(body, what).to.contain(`href="${HARBOUR.terms}"`);
    const policy = headers.get('content-security-policy') ?? '';
    expect(policy, what).to.contain(
      "img-src 'self' https://kids.harbour.test https://dark.kids.harbour.test;",
    );
  }

  function expectHarbour({ body, headers }: Page, what: string): void {
    expect(body, what).to.contain('<span>Harbour Practice</span>').and.not.contain('Kids');
    expect(body, what).to.contain(`src="${HARBOUR.logo}"`).and.contain(brandSheetAddress(HARBOUR.accent));
    expect(headers.get('content-security-policy'), what)
      .to.contain("img-src 'self' https://cdn.harbour.test;")
      .and.not.contain('kids');
  }

  it('S7 is on the pages of its sign-ins, member by member over its organization’s', async () => {
    const { session, at } = await begin(webApp, { prompt: 'consent' });
    expectKids(at, 'sign-in');
    expectKids(page(await session.submit(at, { ...MARA, password: 'Not-The-Password-11' })), 'refused');
    expectKids(page(await session.open(linkIn(at, '/interaction/'))), 'register');
    const code = at.forms[0]?.action.replace('/sign-in', '/code/send') ?? '';
    const form = { ...(at.forms[0] as Page['forms'][number]), action: code };
    expectKids(page(await session.submit(at, { login: MARA.login }, { form })), 'code');
    const again = await begin(webApp, { prompt: 'consent' });
    const consent = page(await again.session.submit(again.at, MARA));
    expect(consent.body).to.contain('Web App asks for access');
    expectKids(consent, 'consent');
  });

  it('is on the emails of its sign-ins; From has the name of the organization, whatever email it is', async () => {
    const { at, session } = await begin(webApp);
    const action = at.forms[0]?.action.replace('/sign-in', '/code/send') ?? '';
    const form = { ...(at.forms[0] as Page['forms'][number]), action };
    await session.submit(at, { login: 'dr@clinic.test' }, { form });
    const code = await server.mail.take('dr@clinic.test');
    expect(code).to.include({ fromName: HARBOUR.name });
    expect(code.html).to.contain(`src="${KIDS.logo}"`).and.contain(`src="${KIDS.logo_dark}"`);
    expect(code.html).to.contain('sign in to Harbour &lt;Kids&gt;').and.contain('background-color: ');
    const forgot = page(await session.open(`${server.url}/forgot?organization=default&client=web-app`));
    await session.submit(forgot, { login: 'dr@clinic.test' });
    const reset = await server.mail.take('dr@clinic.test');
    expect(reset).to.include({ fromName: HARBOUR.name, from: code.from });
    // Nothing that a request said goes into an email: whoever asks for a reset does not choose its brand.
    expect(reset.html).to.contain(`src="${HARBOUR.logo}"`).and.not.contain('kids.harbour.test');
    expect(reset.html).to.match(/href="[^"]*\/reset\?token=rst_[^"]*organization=default"/);
  });

  it('is on the pages of a second proof and of the choice of an account', async () => {
    const { session, at } = await begin(webApp, { acr_values: ACR.stepup });
    const second = page(await session.submit(at, MARA));
    expect(second.body).to.contain('We sent a code to');
    expectKids(second, 'step-up');
    const other = await begin(webApp, { prompt: 'consent' });
    await other.session.submit(other.at, MARA);
    const choice = (await begin(webApp, { prompt: 'select_account' }, other.session)).at;
    expect(choice.forms[0]?.action).to.match(/\/account$/);
    expectKids(choice, 'choose account');
  });

  it('is on the way to a new password, there and back', async () => {
    const { session, at } = await begin();
    const forgot = page(await session.open(linkIn(at, '/forgot')));
    expectKids(forgot, 'forgot');
    expectKids(page(await session.submit(forgot, { login: '' })), 'forgot, refused');
    const sent = page(await session.submit(forgot, { login: 'nobody@clinic.test' }));
    expect(new URL(sent.url).pathname).to.equal('/forgot/sent');
    expectKids(sent, 'forgot, sent');
    expectHarbour(page(await session.open(`${server.url}/forgot?organization=default`)), 'forgot, no app');
  });

  it('is on the pages that say what went wrong, where the client is known', async () => {
    const { session, at } = await begin();
    expectKids(page(await session.open(at.url.replace(/[^/]+$/, 'gone'))), 'expired');
    const party = await relyingParty(server.issuer, webApp);
    const { url } = await party.begin({ redirect_uri: 'https://evil.test/' });
    const refused = page(await openWebSession().open(url));
    expect(refused.status).to.equal(400);
    expectKids(refused, 'error');
  });

  it('is on the way out', async () => {
    const session = openWebSession();
    const until = [webApp.redirectUri];
    const party = await relyingParty(server.issuer, webApp);
    const started = await party.begin();
    let at = await session.submit(page(await session.open(started.url)), MARA, { until });
    if (typeof at !== 'string') at = await session.submit(at, {}, { until });
    await party.finish(started, String(at));
    const ask = page(await session.open(buildEndSessionUrl(party.configuration, {}).href));
    expectKids(ask, 'sign out?');
    const out = page(await session.submit(ask, { logout: 'yes' }));
    expect(out.body).to.contain('You are signed out');
    expectKids(out, 'signed out');
    const nobody = page(await openWebSession().open(`${server.url}/logout/success`));
    expect(nobody.body).to.contain('You are signed out').and.not.contain('Kids');
  });

  it('is on the pages of a device once its code is entered', async () => {
    const { configuration } = await relyingParty(server.issuer, tvApp);
    const start = () => initiateDeviceAuthorization(configuration, { scope: 'openid profile' });
    const session = openWebSession();
    const enter = async () => {
      const asked = page(await session.open(`${server.url}/device`));
      expect(asked.body).to.not.contain('Kids');
      return page(await session.submit(asked, { user_code: (await start()).user_code }));
    };
    const confirm = await enter();
    expectKids(confirm, 'confirm');
    const form = confirm.forms[1] as Page['forms'][number];
    expectKids(page(await session.submit(confirm, {}, { form })), 'stopped');
    const signIn = page(await session.submit(await enter(), {}));
    expectKids(signIn, 'sign-in for a device');
    const consent = page(await session.submit(signIn, MARA));
    const done = page(await session.submit(consent, {}));
    expect(done.body).to.contain('Your device is connected');
    expectKids(done, 'connected');
  });

  it('is on no page of another client, and never on another organization’s', async () => {
    expectHarbour((await begin(webAppPost)).at, 'another client');
    const { body } = (await begin(clinicdevApp)).at;
    expect(body).to.not.contain('Harbour');
    const query = 'organization=clinicdev&client=web-app';
    for (const address of ['/forgot', '/forgot/sent']) {
      const shown = page(await openWebSession().open(`${server.url}${address}?${query}`));
      expect(shown.body, address).to.not.contain('Harbour').and.not.contain('kids');
    }
  });

  it('S7 takes over no address that is none of the web, no colour that is none, and no table that is none', async () => {
    await dress(webAppPost, {
      branding: {
        name: 'Post & Sons',
        logo: 'javascript:alert(1)',
        accent: '#fff;}body{background:url(//evil.test)}',
        terms: 'data:text/html,evil',
      },
    });
    const { body } = (await begin(webAppPost)).at;
    expect(body)
      .to.contain('<span>Post &amp; Sons</span>')
      .and.not.match(/javascript:|evil/);
    expect(body).to.contain(`src="${HARBOUR.logo}"`).and.contain(brandSheetAddress(HARBOUR.accent));
    for (const branding of [null, 'Kids', ['Kids'], {}, { name: 7, logo: {} }] as Json[]) {
      await dress(webAppPost, { branding });
      expectHarbour((await begin(webAppPost)).at, JSON.stringify(branding));
    }
  });

  it('takes what the client registered where it goes by a name of its own, and only there', async () => {
    const registered = {
      logo_uri: 'https://post.test/logo.png',
      policy_uri: 'https://post.test/privacy',
      tos_uri: 'https://post.test/terms',
    };
    await dress(webAppPost, { ...registered, branding: { accent: '#8a2be2' } });
    const coloured = (await begin(webAppPost)).at.body;
    expect(coloured).to.contain('<span>Harbour Practice</span>').and.contain(HARBOUR.logo);
    expect(coloured).to.contain(brandSheetAddress('#8a2be2')).and.not.contain('https://post.test');
    await dress(webAppPost, { branding: { name: 'Post', terms: 'https://post.test/rules' } });
    const named = (await begin(webAppPost)).at;
    expect(named.body).to.contain('<span>Post</span>').and.contain(`src="${registered.logo_uri}"`);
    expect(named.body).to.contain(`href="${registered.policy_uri}"`).and.contain('https://post.test/rules');
    expect(named.body).to.not.contain(registered.tos_uri);
    expect(named.headers.get('content-security-policy')).to.contain("img-src 'self' https://post.test;");
  });
});
