/** Signing in and consenting, as a person with a browser. */
import { expect } from 'chai';
import { fetchUserInfo } from 'openid-client';
import { focused } from '../support/browser.ts';
import { nativeApp } from '../support/clients.ts';
import {
  answerOf,
  begin,
  DOCTOR,
  enter,
  type Journeys,
  MARA,
  signIn,
  startJourneys,
  startSite,
} from './journey.ts';

describe('signing in with a browser', () => {
  let journeys: Journeys;

  before(async () => {
    journeys = await startJourneys();
  });
  afterEach(() => journeys.settle());
  after(() => journeys.close());

  it('goes by keyboard alone from the app to its tokens', async () => {
    const [page, party] = await Promise.all([journeys.visit(), journeys.party()]);
    const started = await begin(page, party);
    await focused(page);
    await page.keyboard.type(MARA.login);
    await page.keyboard.press('Tab');
    await page.keyboard.type(MARA.password);
    await page.keyboard.press('Enter');
    await page.getByRole('heading', { name: 'Web App asks for access' }).waitFor();
    await page.keyboard.press('Tab');
    await page.keyboard.press('Enter');
    await page.getByText('The app').waitFor();
    const tokens = await party.finish(started, page.url());
    const { configuration } = party;
    const person = await fetchUserInfo(configuration, tokens.access_token, tokens.claims()?.sub ?? '');
    expect(person).to.include({ email: MARA.login, given_name: 'Mara' });
  });

  it('goes all the way with JavaScript off', async () => {
    const [page, party] = await Promise.all([journeys.visit({ javaScriptEnabled: false }), journeys.party()]);
    const started = await signIn(page, party);
    expect((await party.finish(started, page.url())).claims()?.sub).to.be.a('string');
  });

  it('shows the password to who wants to see it, and hides it again before it is sent', async () => {
    const [page, party] = await Promise.all([journeys.visit(), journeys.party()]);
    await begin(page, party);
    const field = page.getByLabel('Password');
    await field.fill('Not-The-Password-11');
    await page.getByRole('button', { name: 'Show password' }).click();
    expect(await field.getAttribute('type')).to.equal('text');
    await page.getByRole('button', { name: 'Hide password' }).click();
    expect(await field.getAttribute('type')).to.equal('password');
    await page.getByRole('button', { name: 'Show password' }).click();
    const sent = page.evaluate<string>(`new Promise((resolve) => {
      document.querySelector('form').addEventListener('submit', (event) => {
        event.preventDefault();
        resolve(document.querySelector('#password').type);
      });
    })`);
    await page.getByLabel('Email or username').fill(MARA.login);
    await page.getByRole('button', { name: 'Sign in', exact: true }).click();
    expect(await sent).to.equal('password');
  });

  it('S7 allows a script only on pages with a password, which work as well where no script runs', async () => {
    const [page, party] = await Promise.all([journeys.visit({ javaScriptEnabled: false }), journeys.party()]);
    const started = await party.begin();
    const policy = (await page.goto(started.url))?.headers()['content-security-policy'];
    expect(policy).to.contain("script-src 'self';");
    expect(await page.getByRole('button', { name: 'Show password' }).count()).to.equal(0);
    const other = await page.goto(`${journeys.server.issuer}/device`);
    expect(other?.headers()['content-security-policy']).to.not.contain('script-src');
  });

  it('W7 says the same to a wrong password and to an unknown name, keeps the name and drops the password', async () => {
    const [page, party] = await Promise.all([journeys.visit(), journeys.party()]);
    const said: (string | null)[] = [];
    for (const login of [MARA.login, 'nobody@clinic.test', 'nopass@ward.test']) {
      await begin(page, party);
      await enter(page, { login, password: 'Not-The-Password-11' });
      said.push(await page.getByRole('alert').textContent());
      expect(await page.getByLabel('Email or username').inputValue()).to.equal(login);
      expect(await page.getByLabel('Password').inputValue()).to.equal('');
      const focused = await page.locator(':focus').getAttribute('id');
      expect(focused).to.equal('password');
    }
    expect(new Set(said).size).to.equal(1);
    await enter(page, MARA);
    await page.getByRole('heading', { name: 'asks for access' }).waitFor();
  });

  it('takes back to the app who does not want to sign in', async () => {
    const [page, party] = await Promise.all([journeys.visit(), journeys.party()]);
    const started = await begin(page, party);
    await page.getByRole('button', { name: 'Back to Web App' }).click();
    await page.getByText('The app').waitFor();
    expect(page.url().startsWith(journeys.webApp.redirectUri)).to.equal(true);
    expect(answerOf(page).get('error')).to.equal('access_denied');
    expect(answerOf(page).get('state')).to.equal(started.state);
  });

  it('tells the app when the person does not allow the access', async () => {
    const [page, party] = await Promise.all([journeys.visit(), journeys.party()]);
    await begin(page, party, { scope: 'openid email phone offline_access', prompt: 'consent' });
    await enter(page, DOCTOR);
    await page.getByRole('heading', { name: 'asks for access' }).waitFor();
    const asked = await page.getByRole('listitem').allInnerTexts();
    expect(asked.join(' ')).to.contain('your email address').and.to.contain('your phone number');
    await page.getByRole('button', { name: 'Do not allow' }).click();
    await page.getByText('The app').waitFor();
    expect(answerOf(page).get('error')).to.equal('access_denied');
    expect(answerOf(page).has('code')).to.equal(false);
  });

  it('asks for neither password nor consent a second time', async () => {
    const [page, party] = await Promise.all([journeys.visit(), journeys.party()]);
    await signIn(page, party);
    await begin(page, party);
    await page.getByText('The app').waitFor();
    expect(answerOf(page).get('code')).to.be.a('string');
  });

  it("does not ask for consent for an organization's own app", async () => {
    const [page, party] = await Promise.all([journeys.visit(), journeys.party(journeys.ownApp)]);
    await begin(page, party);
    await enter(page, MARA);
    await page.getByText('The app').waitFor();
    expect(answerOf(page).get('code')).to.be.a('string');
  });

  it('leads to an app on a loopback port', async () => {
    const [page, party, app] = await Promise.all([journeys.visit(), journeys.party(nativeApp), startSite()]);
    app.html = '<h1>The app</h1>';
    await begin(page, party, { redirect_uri: `http://127.0.0.1:${new URL(app.url).port}/callback` });
    await enter(page, MARA);
    await page.getByRole('button', { name: 'Allow', exact: true }).click();
    await page.getByText('The app').waitFor();
    expect(answerOf(page).get('code')).to.be.a('string');
    await app.close();
  });

  it('posts the answer to an app that asked for a form', async () => {
    const [page, party] = await Promise.all([journeys.visit(), journeys.party(journeys.ownApp)]);
    const started = await begin(page, party, { response_mode: 'form_post' });
    await enter(page, MARA);
    await page.getByText('The app').waitFor();
    const posted = new URLSearchParams(journeys.apps.posted);
    expect(posted.get('code')).to.be.a('string');
    expect(posted.get('state')).to.equal(started.state);
  });

  it('CL9 posts it from a page of ours, with a button where no scripts run', async () => {
    const page = await journeys.visit({ javaScriptEnabled: false });
    const started = await begin(page, await journeys.party(journeys.ownApp), { response_mode: 'form_post' });
    const arrived = page.waitForResponse((reply) => /\/authorize\/[\w-]+$/.test(reply.url()));
    await enter(page, MARA);
    const policy = (await (await arrived).allHeaders())['content-security-policy'];
    expect(policy).to.contain("script-src 'self'").and.not.contain('unsafe').and.not.contain('form-action');
    await page.getByRole('heading', { name: 'Taking you to Own App' }).waitFor();
    await page.getByRole('button', { name: 'Continue to Own App' }).click();
    await page.getByText('The app').waitFor();
    const posted = new URLSearchParams(journeys.apps.posted);
    expect([posted.has('code'), posted.get('state')]).to.deep.equal([true, started.state]);
  });

  it('CL9 posts an error as well, and no word of the request becomes HTML', async () => {
    const [page, party] = await Promise.all([journeys.visit(), journeys.party(journeys.ownApp)]);
    const state = '"><script>alert(1)</script>';
    await begin(page, party, { response_mode: 'form_post', prompt: 'none', state });
    await page.getByText('The app').waitFor();
    const posted = new URLSearchParams(journeys.apps.posted);
    expect([posted.get('error'), posted.get('state')]).to.deep.equal(['login_required', state]);
  });

  it('knows who is meant when the app says so', async () => {
    const [page, party] = await Promise.all([journeys.visit(), journeys.party()]);
    await begin(page, party, { login_hint: 'dr@clinic.test' });
    expect(await page.getByLabel('Email or username').inputValue()).to.equal('dr@clinic.test');
    expect(await page.locator(':focus').getAttribute('id')).to.equal('password');
  });

  it('asks a signed-in person again when the app wants it', async () => {
    const [page, party] = await Promise.all([journeys.visit(), journeys.party()]);
    await signIn(page, party);
    await begin(page, party, { prompt: 'login' });
    await page.getByText('Confirm it’s you to continue').waitFor();
    expect(await page.getByLabel('Email or username').inputValue()).to.equal(MARA.login);
    await enter(page, MARA);
    await page.getByText('The app').waitFor();
  });

  it('CL9 asks for consent again when the back button leads to a sign-in that the person refused it in', async () => {
    const [page, party] = await Promise.all([journeys.visit(), journeys.party()]);
    await begin(page, party);
    const address = page.url();
    await enter(page, MARA);
    await page.getByRole('button', { name: 'Allow', exact: true }).waitFor();
    await page.getByRole('button', { name: 'Do not allow' }).click();
    await page.getByText('The app').waitFor();
    await page.goto(address);
    await page.getByRole('button', { name: 'Allow', exact: true }).waitFor();
  });

  it('takes a double click for one', async () => {
    const [page, party] = await Promise.all([journeys.visit(), journeys.party()]);
    await begin(page, party, { prompt: 'login consent' });
    await page.getByLabel('Email or username').fill(MARA.login);
    await page.getByLabel('Password').fill(MARA.password);
    await page.getByRole('button', { name: 'Sign in', exact: true }).dblclick();
    await page.getByRole('button', { name: 'Allow', exact: true }).dblclick();
    await page.getByText('The app').waitFor();
    expect(answerOf(page).get('code')).to.be.a('string');
  });

  it('asks a person to wait after ten wrong passwords, with the right one too', async () => {
    const [page, party] = await Promise.all([journeys.visit(), journeys.party()]);
    await begin(page, party);
    for (let i = 0; i < 10; i += 1) {
      await enter(page, { ...DOCTOR, password: `Wrong-Password-${i}-x` });
      // The next page: its field is empty, which a required one must not be.
      await page.locator('#password:invalid').waitFor();
    }
    const reply = page.waitForResponse((response) => response.request().method() === 'POST');
    await enter(page, DOCTOR);
    expect((await reply).status()).to.equal(429);
    expect(Number((await reply).headers()['retry-after'])).to.be.within(1, 900);
    expect(await page.getByRole('alert').textContent()).to.match(
      /^Too many attempts\. Please wait (a minute|\d+ minutes)/,
    );
  });
});
