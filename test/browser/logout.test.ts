/** Signing out, as a person with a browser. */
import { expect } from 'chai';
import { buildEndSessionUrl } from 'openid-client';
import type { Page } from '../support/browser.ts';
import { answerOf, begin, type Journeys, signIn, startJourneys } from './journey.ts';

describe('signing out with a browser', () => {
  let journeys: Journeys;
  let page: Page;
  let idToken: string;

  before(async () => {
    journeys = await startJourneys();
  });
  beforeEach(async () => {
    const party = await journeys.party();
    page = await journeys.visit();
    const started = await signIn(page, party);
    idToken = (await party.finish(started, page.url())).id_token ?? '';
  });
  afterEach(() => journeys.settle());
  after(() => journeys.close());

  async function signOut(parameters: Record<string, string>) {
    const party = await journeys.party();
    await page.goto(buildEndSessionUrl(party.configuration, parameters).href);
    await page.getByRole('heading', { name: 'Sign out?' }).waitFor();
  }

  async function isSignedIn(): Promise<boolean> {
    await begin(page, await journeys.party(), { prompt: 'none' });
    await page.getByText('The app').waitFor();
    return answerOf(page).get('error') !== 'login_required';
  }

  it('CL11 asks nothing where the app shows the ID token that it got, and leads back to the app', async () => {
    const party = await journeys.party();
    const parameters = {
      id_token_hint: idToken,
      post_logout_redirect_uri: journeys.webApp.postLogoutRedirectUri ?? '',
      state: 'st',
    };
    await page.goto(buildEndSessionUrl(party.configuration, parameters).href);
    await page.getByText('The app').waitFor();
    expect(page.url()).to.equal(`${journeys.webApp.postLogoutRedirectUri}?state=st`);
    expect(await isSignedIn()).to.equal(false);
  });

  it('P12 asks first, then signs out and leads back to the app', async () => {
    await signOut({ post_logout_redirect_uri: journeys.webApp.postLogoutRedirectUri ?? '', state: 'st' });
    expect(await page.getByText('Web App asks to sign you out').count()).to.equal(1);
    await page.getByRole('button', { name: 'Sign out' }).click();
    await page.getByText('The app').waitFor();
    expect(page.url()).to.equal(`${journeys.webApp.postLogoutRedirectUri}?state=st`);
    expect(await isSignedIn()).to.equal(false);
  });

  it('P12 without a hint it asks too, and shows that it is done', async () => {
    await signOut({});
    await page.getByRole('button', { name: 'Sign out' }).click();
    await page.getByRole('heading', { name: 'You are signed out' }).waitFor();
    expect(await isSignedIn()).to.equal(false);
  });

  it('leaves alone who wants to stay', async () => {
    await signOut({});
    await page.getByRole('button', { name: 'Stay signed in' }).click();
    await page.getByRole('heading', { name: 'You are still signed in' }).waitFor();
    expect(await isSignedIn()).to.equal(true);
  });

  it('asks nobody who is signed out already, and needs no script to say so or to lead on', async () => {
    const stranger = await journeys.visit({ javaScriptEnabled: false });
    const { configuration } = await journeys.party();
    await stranger.goto(buildEndSessionUrl(configuration, {}).href);
    await stranger.getByRole('heading', { name: 'You are signed out' }).waitFor();
    const back = journeys.webApp.postLogoutRedirectUri ?? '';
    const parameters = { post_logout_redirect_uri: back, state: 'st' };
    await stranger.goto(buildEndSessionUrl(configuration, parameters).href);
    await stranger.getByText('The app').waitFor();
    expect(stranger.url()).to.equal(`${back}?state=st`);
    const reply = await stranger.goto(
      buildEndSessionUrl(configuration, { post_logout_redirect_uri: 'https://evil.test/' }).href,
    );
    expect(reply?.status()).to.equal(400);
  });
});
