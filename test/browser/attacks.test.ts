/** What other sites, other browsers and hostile values try with the pages. */
import { expect } from 'chai';
import type { Page } from '../support/browser.ts';
import {
  begin,
  enter,
  type Journeys,
  MARA,
  resetLink,
  type Site,
  signIn,
  startJourneys,
  startSite,
} from './journey.ts';

const PAYLOADS = [
  '"><svg onload=alert(1)>',
  "'><img src=x onerror=alert(1)>",
  '<%= 7*7 %>',
  '{{constructor}}',
  'javascript:alert(1)',
];

describe('attacks on the pages', () => {
  let journeys: Journeys;
  let evil: Site;

  before(async () => {
    journeys = await startJourneys();
    evil = await startSite();
  });
  afterEach(() => journeys.settle({ expected: /frame-ancestors|X-Frame-Options|in a frame/i }));
  after(async () => {
    await evil.close();
    await journeys.close();
  });

  /** Opens the other site, whose form posts itself; resolves with the status of our reply. */
  async function postFromElsewhere(
    page: Page,
    action: string,
    fields: Record<string, string>,
  ): Promise<number> {
    const inputs = Object.entries(fields).map(([name, value]) => `<input name="${name}" value="${value}">`);
    evil.html = `<form method="post" action="${action}">${inputs.join('')}</form><script>document.forms[0].submit()</script>`;
    const reply = page.waitForResponse((response) => response.url() === action);
    // The form is on its way before the page that holds it has loaded.
    await page.goto(evil.url, { waitUntil: 'commit' });
    const status = (await reply).status();
    await page.waitForURL(action);
    return status;
  }

  it("S5 refuses another site's post of a sign-in, though it knows everything but the token", async () => {
    const [page, party] = await Promise.all([journeys.visit(), journeys.party()]);
    await begin(page, party);
    const address = page.url();
    const status = await postFromElsewhere(page, `${address}/sign-in`, { ...MARA, form_token: 'guess' });
    expect(status).to.equal(403);
    await page.goto(address);
    expect(await page.getByLabel('Password').count()).to.equal(1);
  });

  it("S5 refuses another site's post of a consent, even with the form's own token", async () => {
    const [page, party] = await Promise.all([journeys.visit(), journeys.party()]);
    await begin(page, party);
    await enter(page, MARA);
    await page.getByRole('heading', { name: 'asks for access' }).waitFor();
    const address = page.url();
    const token = await page.locator('input[name=form_token]').first().inputValue();
    const status = await postFromElsewhere(page, `${address}/consent`, {
      decision: 'allow',
      form_token: token,
    });
    expect(status).to.equal(403);
    await page.goto(address);
    await page.getByRole('heading', { name: 'asks for access' }).waitFor();
  });

  it("S5 does not sign anybody out by another site's post", async () => {
    const [page, party] = await Promise.all([journeys.visit(), journeys.party()]);
    await signIn(page, party);
    const status = await postFromElsewhere(page, `${journeys.server.issuer}/logout/confirm`, {
      logout: 'yes',
      xsrf: 'guess',
    });
    expect(status).to.be.within(400, 403);
    await begin(page, party, { prompt: 'none' });
    expect(page.url()).to.contain('code=');
  });

  it('S6 appears in no frame of another site', async () => {
    const [page, party] = await Promise.all([journeys.visit(), journeys.party()]);
    const addresses = [(await party.begin()).url, await resetLink(journeys), `${journeys.server.issuer}/`];
    evil.html = addresses.map((address) => `<iframe src="${address}"></iframe>`).join('');
    await page.goto(evil.url);
    const frames = page.frames().slice(1);
    expect(frames).to.have.length(3);
    for (const frame of frames) {
      await frame.waitForURL('chrome-error://chromewebdata/');
      expect(await frame.locator('h1', { hasText: /Sign in|password|Portico|ended/ }).count()).to.equal(0);
    }
  });

  it('S1 finishes no sign-in that was begun in another browser', async () => {
    const [mine, theirs, party] = await Promise.all([journeys.visit(), journeys.visit(), journeys.party()]);
    await begin(mine, party);
    await theirs.goto(mine.url());
    await theirs.getByRole('heading', { name: 'This sign-in has ended' }).waitFor();
  });

  it('S7 shows hostile values of every parameter as text', async () => {
    const [page, party] = await Promise.all([journeys.visit(), journeys.party()]);
    for (const name of [
      'login_hint',
      'ui_locales',
      'state',
      'scope',
      'client_id',
      'redirect_uri',
      'prompt',
      'response_type',
      'acr_values',
      'nonce',
      'claims',
      'id_token_hint',
    ]) {
      const payload = PAYLOADS.join(' ');
      const { url } = await party.begin({ [name]: name === 'scope' ? `openid ${payload}` : payload });
      const reply = await page.goto(url);
      expect(reply?.status(), name).to.be.below(500);
      await expectHarmless(page);
    }
  });

  it('S7 shows hostile values of a form as text', async () => {
    const [page, party] = await Promise.all([journeys.visit(), journeys.party()]);
    for (const payload of PAYLOADS) {
      await begin(page, party);
      await enter(page, { login: payload, password: payload });
      await page.getByRole('alert').waitFor();
      expect(await page.getByLabel('Email or username').inputValue()).to.equal(payload);
      await expectHarmless(page);
    }
  });

  it("S7 shows an app's hostile name and links as text", async () => {
    const { clients } = journeys.server.running.stores;
    const known = await clients.byId(journeys.webApp.clientId);
    if (known === undefined) throw new Error('The client is not there.');
    const clientId = 'hostile-app';
    const metadata = { ...known.metadata, client_id: clientId, client_name: `${PAYLOADS[0]}<%= 7*7 %>` };
    await clients.put({ ...known, clientId, metadata });
    const [page, party] = await Promise.all([
      journeys.visit(),
      journeys.party({ ...journeys.webApp, clientId }),
    ]);
    await begin(page, party);
    expect(await page.getByText('<svg onload=alert(1)><%= 7*7 %>').count()).to.be.above(0);
    await expectHarmless(page);
    await enter(page, MARA);
    await page.getByRole('heading', { name: 'asks for access' }).waitFor();
    await expectHarmless(page);
  });

  it('S7 CVE-2022-29078 takes no template options from a query or a form', async () => {
    const { url } = await (await journeys.party()).begin({
      'settings[view options][outputFunctionName]': 'x;throw new Error(1);//',
      'settings[view options][client]': 'true',
      delimiter: 'NULL',
      __proto__: 'x',
    });
    const page = await journeys.visit();
    expect((await page.goto(url))?.status()).to.equal(200);
    await enter(page, { login: 'x', password: 'y' });
    await page.getByRole('alert').waitFor();
  });
});

async function expectHarmless(page: Page): Promise<void> {
  // The one script that a page with a password names itself, from the server's own files.
  const others = 'script:not([src^="/assets/show-password.js?"])';
  const planted = await page.locator(`svg[onload], img[onerror], [href^="javascript:"], ${others}`).count();
  expect(planted).to.equal(0);
  expect(await page.getByText('49', { exact: true }).count()).to.equal(0);
}
