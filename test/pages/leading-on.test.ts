/** The page at the end of a form that leads to an app: for browsers; programs follow a redirect. */
import { expect } from 'chai';
import { ownApp, webApp } from '../support/clients.ts';
import { type HttpClient, openClient } from '../support/http-client.ts';
import { relyingParty } from '../support/relying-party.ts';
import { startTestServer, type TestServer } from '../support/server.ts';
import { openWebSession, type Page, type WebSession } from '../support/web-session.ts';

const MARA = { login: 'mara@clinic.test', password: 'Harbour-Lantern-Quartz-41' };
/** What browsers accept when they navigate. */
const BROWSER = 'text/html,application/xhtml+xml,application/xml;q=0.9,*/*;q=0.8';
const NAVIGATES = { 'sec-fetch-mode': 'navigate' };

describe('leading on', () => {
  let server: TestServer;
  let client: HttpClient;
  before(async () => {
    server = await startTestServer({ dialects: [] });
    client = openClient(server.url);
  });
  after(async () => {
    client.close();
    await server.close();
  });

  function page(shown: Page | string): Page {
    if (typeof shown === 'string') throw new Error(`The browser was sent to ${shown}.`);
    return shown;
  }

  async function signInPage(app = ownApp, extra = {}) {
    const party = await relyingParty(server.issuer, app);
    const session = openWebSession();
    const { url } = await party.begin(extra);
    return { session, shown: page(await session.open(url)) };
  }

  /** Sends the page's first form. Not by fetch(), which says itself what the request is for. */
  async function post({ session, shown }: { session: WebSession; shown: Page }, headers = {}, step?: string) {
    const [form] = shown.forms;
    const path = new URL(form?.action ?? '').pathname;
    return client.send({
      method: 'POST',
      path: step === undefined ? path : path.replace(/[^/]+$/, step),
      headers: {
        ...{
          accept: '*/*',
          origin: server.issuer,
          cookie: await session.jar.getCookieString(`${server.issuer}${path}`),
        },
        ...{ 'content-type': 'application/x-www-form-urlencoded', ...headers },
      },
      body: new URLSearchParams({ ...form?.fields, ...MARA }).toString(),
    });
  }

  it('CL1 a browser gets a page of ours in three languages, which goes on by itself and has a link', async () => {
    for (const [language, words] of [
      ['en', 'Taking you to Own App'],
      ['de', 'Es geht weiter zu Own App'],
      ['es', 'Le llevamos a Own App'],
    ] as const) {
      const reply = await post(await signInPage(), { ...NAVIGATES, 'accept-language': language });
      expect(reply.status).to.equal(200);
      expect(reply.headers['cache-control']).to.equal('no-store');
      const [, address = ''] = (reply.headers.refresh ?? '').match(/^0; url=(.*)$/) ?? [];
      expect(address).to.match(new RegExp(`^${server.issuer}/authorize/[\\w-]+$`));
      expect(reply.text).to.contain(`<h1>${words}</h1>`).and.to.contain(`href="${address}"`);
      expect(reply.text).to.not.contain('<script');
    }
  });

  it('CL1 a program gets the redirect, and so does a browser on the way to a page of ours', async () => {
    for (const headers of [{}, { accept: 'text/html' }, { 'sec-fetch-mode': 'cors', accept: BROWSER }]) {
      const program = await post(await signInPage(), headers);
      expect([program.status, program.headers.refresh]).to.deep.equal([303, undefined]);
    }
    const next = await post(await signInPage(), NAVIGATES, 'code/send');
    expect([next.status, next.headers.refresh]).to.deep.equal([303, undefined]);
    expect(next.headers.location).to.match(/^\/interaction\//);
  });

  it('CL1 a browser that does not say that it navigates is known by asking for XHTML', async () => {
    const reply = await post(await signInPage(), { accept: BROWSER });
    expect([reply.status, reply.headers.location]).to.deep.equal([200, undefined]);
  });

  it('CL1 a form leads to this server alone, whatever the client has registered', async () => {
    const { session, shown } = await signInPage(webApp, { prompt: 'consent' });
    const consent = page(await session.submit(shown, MARA, { until: ['https://app.test/'] }));
    const address = `${server.issuer}/logout?client_id=web-app&post_logout_redirect_uri=${webApp.postLogoutRedirectUri}`;
    const leaving = page(await session.open(address));
    for (const each of [shown, consent, leaving]) {
      expect(each.headers.get('content-security-policy')).to.contain("; form-action 'self';");
      expect(each.headers.get('content-security-policy')).to.not.contain('app.test');
    }
    const reply = await post({ session, shown: leaving }, NAVIGATES);
    expect(reply.status).to.equal(200);
    expect(reply.headers.refresh).to.equal(`0; url=${webApp.postLogoutRedirectUri}`);
    expect(reply.headers.location).to.equal(undefined);
    expect(reply.text).to.contain('<h1>Taking you to Web App</h1>');
  });
});
