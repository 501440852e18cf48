/**
 * The ways out of our pages, as Chromium lets them: it holds form-action against every redirect that follows a
 * form, and an app may send the browser on to any other host, or to an app on the person's device.
 */
import { randomUUID } from 'node:crypto';
import { createServer } from 'node:http';
import type { AddressInfo } from 'node:net';
import { expect } from 'chai';
import { buildEndSessionUrl } from 'openid-client';
import type { Page } from '../support/browser.ts';
import { rehome, type Served, serve } from '../support/client-app.ts';
import { nativeApp, ownApp, type TestClient, webApp } from '../support/clients.ts';
import { type RelyingParty, relyingParty } from '../support/relying-party.ts';
import { answerOf, begin, enter, type Journeys, MARA, signIn, startJourneys } from './journey.ts';

describe('leading on to an app', function () {
  this.timeout(60_000);
  let journeys: Journeys;
  let elsewhere: Served;
  let app: Served;

  before(async () => {
    journeys = await startJourneys();
    elsewhere = await serve((request, response) => {
      response.writeHead(200, { 'content-type': 'text/html' }).end(`<h1>Elsewhere ${request.url}</h1>`);
    });
    // An app whose callback leads to another host, or to an app on the device.
    app = await serve((request, response) => {
      const { pathname } = new URL(request.url ?? '/', 'http://localhost');
      const home = `${elsewhere.url.replace('localhost', '127.0.0.1')}${pathname}`;
      response.writeHead(302, { location: pathname.startsWith('/deep/') ? 'myapp://home' : home }).end();
    });
  });
  afterEach(() => journeys.settle());
  after(async () => {
    await Promise.all([elsewhere.close(), app.close()]);
    await journeys.close();
  });

  /** A client like one of clients.yaml, at home elsewhere. Another id each: the server keeps clients for seconds. */
  async function partyAt(client: TestClient, url: string, metadata = {}): Promise<RelyingParty> {
    const { clients } = journeys.server.running.stores;
    const known = await clients.byId(client.clientId);
    if (known === undefined) throw new Error(`The client ${client.clientId} is not there.`);
    const home = { ...client, clientId: `${client.clientId}-${randomUUID()}` };
    await clients.put({ ...known, clientId: home.clientId });
    return relyingParty(journeys.server.issuer, await rehome(journeys.server, home, url, metadata));
  }

  /** Resolves with the first address that is none of the web's. */
  async function deepLink(page: Page): Promise<string> {
    const session = await page.context().newCDPSession(page);
    await session.send('Network.enable');
    return new Promise((resolve) => {
      session.on('Network.requestWillBeSent', ({ request: { url } }) => {
        if (!url.startsWith('http')) resolve(url);
      });
    });
  }

  async function signOut(page: Page, party: RelyingParty): Promise<void> {
    const { configuration, client } = party;
    const back = client.postLogoutRedirectUri ?? '';
    await page.goto(
      buildEndSessionUrl(configuration, { client_id: client.clientId, post_logout_redirect_uri: back }).href,
    );
    await page.getByRole('button', { name: 'Sign out' }).click();
  }

  for (const javaScriptEnabled of [true, false]) {
    const how = javaScriptEnabled ? 'with scripts' : 'without scripts';

    it(`CL1 a callback leads on to another host after signing in, giving up and signing out, ${how}`, async () => {
      const party = await partyAt(ownApp, `${app.url}/on`);
      const page = await journeys.visit({ javaScriptEnabled });
      await begin(page, party);
      await page.getByRole('button', { name: 'Back to Own App' }).click();
      await page.getByText('Elsewhere /on/callback').waitFor();
      await begin(page, party);
      await enter(page, MARA);
      await page.getByText('Elsewhere /on/callback').waitFor();
      await signOut(page, party);
      await page.getByText('Elsewhere /on/signed-out').waitFor();
    });

    it(`CL1 consent leads on to another host, ${how}`, async () => {
      const party = await partyAt(webApp, `${app.url}/on`);
      for (const answer of ['Allow', 'Do not allow']) {
        const page = await journeys.visit({ javaScriptEnabled });
        await begin(page, party, { prompt: 'login consent' });
        await enter(page, MARA);
        await page.getByRole('button', { name: answer, exact: true }).click();
        await page.getByText('Elsewhere /on/callback').waitFor();
      }
    });

    it(`CL1 a deep link opens an app on the device, and the page left behind offers it again, ${how}`, async () => {
      const party = await partyAt(ownApp, `${app.url}/deep`);
      const page = await journeys.visit({ javaScriptEnabled });
      const opened = deepLink(page);
      await begin(page, party);
      await enter(page, MARA);
      expect(await opened).to.equal('myapp://home');
      await page.getByRole('heading', { name: 'Taking you to Own App' }).waitFor();
      const pressed = deepLink(page);
      await page.getByRole('link', { name: 'Continue to Own App' }).click();
      expect(await pressed).to.equal('myapp://home');
      const openedAgain = deepLink(page);
      await signOut(page, party);
      expect(await openedAgain).to.equal('myapp://home');
      await page.getByRole('link', { name: 'Continue to Own App' }).waitFor();
    });

    it(`CL1 an app’s own scheme and [::1] are redirect URIs as any other, ${how}`, async () => {
      const uri = 'com.example.app:/callback';
      const party = await partyAt(nativeApp, app.url, {
        redirect_uris: [uri, 'http://[::1]/callback'],
      });
      const page = await journeys.visit({ javaScriptEnabled });
      const opened = deepLink(page);
      await begin(page, party, { redirect_uri: uri });
      await enter(page, MARA);
      await page.getByRole('button', { name: 'Allow', exact: true }).click();
      expect(await opened).to.match(/^com\.example\.app:\/callback\?code=/);
      const loopback = createServer((_request, response) => response.end('<h1>On the loopback</h1>'));
      await new Promise<void>((resolve) => loopback.listen(0, '::1', resolve));
      const { port } = loopback.address() as AddressInfo;
      await begin(page, party, { redirect_uri: `http://[::1]:${port}/callback` });
      await page.getByRole('button', { name: 'Allow', exact: true }).click();
      await page.getByText('On the loopback').waitFor();
      await page.close();
      loopback.closeAllConnections();
      await new Promise((resolve) => loopback.close(resolve));
    });
  }

  it('CL1 a form that was injected into a page leads to no other site, not even to the app’s', async () => {
    const page = await journeys.visit();
    await begin(page, await journeys.party());
    const refused = page.waitForEvent('console', (message) => message.text().includes('form-action'));
    await page.evaluate(`(() => {
      const form = document.createElement('form');
      form.action = ${JSON.stringify(journeys.apps.url)};
      document.body.append(form);
      form.submit();
    })()`);
    await refused;
    await journeys.settle({ expected: /form-action/ });
  });

  it('CL1 Back from the app leads past the page that led there', async () => {
    const page = await journeys.visit();
    await signIn(page, await journeys.party(journeys.ownApp));
    const entries = await page.evaluate<number>('history.length');
    // An empty page, the sign-in page, the app.
    expect(entries).to.equal(3);
    // CL9: the sign-in is finished, and leads there again.
    const code = answerOf(page).get('code');
    await page.goBack();
    await page.getByText('The app').waitFor();
    expect(answerOf(page).get('code')).to.be.a('string').and.not.equal(code);
  });

  it('CL2 a pop-up tells the app that opened it: after signing in, signing out, a device, and an error', async () => {
    journeys.apps.html = `<h1>The app</h1><script>
      addEventListener('message', ({ data }) => { document.title = data; });
      window.opener?.postMessage(location.pathname + location.search, '*');
    </script>`;
    const party = await partyAt(webApp, `${journeys.apps.url}pop-up`);
    const page = await journeys.visit();
    await page.goto(`${journeys.apps.url}home`);
    const open = async (address: string): Promise<Page> => {
      const [popUp] = await Promise.all([
        page.waitForEvent('popup'),
        page.evaluate(`void window.open(${JSON.stringify(address)})`),
      ]);
      await popUp.waitForLoadState();
      return popUp;
    };
    const told = async (what: RegExp) => {
      await page.waitForFunction(`${what}.test(document.title)`);
    };
    const isHeld = (popUp: Page) => popUp.evaluate<boolean>('window.opener !== null');

    const signingIn = await open((await party.begin()).url);
    await enter(signingIn, MARA);
    await signingIn.getByRole('button', { name: 'Allow', exact: true }).click();
    await told(/^.pop-up.callback\?code=/);

    const { issuer } = journeys.server;
    for (const path of ['/authorize?client_id=nowhere', '/device', '/logout', '/interaction/gone'])
      expect(await isHeld(await open(issuer + path)), path).to.equal(true);
    for (const path of ['/', '/account', '/account/keys'])
      expect(await isHeld(await open(issuer + path)), path).to.equal(false);

    const { configuration, client } = party;
    const back = { client_id: client.clientId, post_logout_redirect_uri: client.postLogoutRedirectUri ?? '' };
    const signingOut = await open(buildEndSessionUrl(configuration, back).href);
    await signingOut.getByRole('button', { name: 'Sign out' }).click();
    await told(/^.pop-up.signed-out/);
  });
});
