/** A sign-in that is finished already: a second press, Back, a reload. And those that were begun and left. */
import { expect } from 'chai';
import * as oidc from 'openid-client';
import { ownApp, webApp } from '../support/clients.ts';
import { type RelyingParty, relyingParty } from '../support/relying-party.ts';
import { startTestServer, type TestServer } from '../support/server.ts';
import { openWebSession, type Page, type WebSession } from '../support/web-session.ts';

const MARA = { login: 'mara@clinic.test', password: 'Harbour-Lantern-Quartz-41' };
const UNTIL = ['https://own.test/', 'https://app.test/'];

describe('a finished sign-in', () => {
  let server: TestServer;
  let party: RelyingParty;
  before(async () => {
    server = await startTestServer({ dialects: [] });
    party = await relyingParty(server.issuer, ownApp);
  });
  after(() => server.close());

  function page(shown: Page | string): Page {
    if (typeof shown === 'string') throw new Error(`The browser was sent to ${shown}.`);
    return shown;
  }
  function app(shown: Page | string): string {
    if (typeof shown !== 'string') throw new Error(`The browser is at ${shown.url}:\n${shown.body}`);
    return shown;
  }

  async function begin(extra: Record<string, string> = {}, session: WebSession = openWebSession()) {
    const started = await party.begin(extra);
    return { session, started, first: page(await session.open(started.url, UNTIL)) };
  }

  it('CL9 leads to the app at a second press, Back and reload, with a code that works, signed in once', async () => {
    for (const extra of [{}, { prompt: 'login' }, { max_age: '0' }, { prompt: 'select_account' }]) {
      const { session, started, first } = await begin(extra);
      const pressed = app(await session.submit(first, MARA, { until: UNTIL }));
      const tokens = await party.finish(started, pressed);
      const resume = first.url.replace('/interaction/', '/authorize/');
      for (const again of [
        await session.submit(first, MARA, { until: UNTIL }),
        await session.submit(first, { login: 'mara@clinic.test', password: 'wrong' }, { until: UNTIL }),
        await session.open(first.url, UNTIL),
        await session.open(`${first.url}/sign-in`, UNTIL),
        await session.open(resume, UNTIL),
      ]) {
        expect(app(again)).to.not.equal(pressed);
        const more = await party.finish(started, app(again));
        expect(more.claims()?.auth_time).to.equal(tokens.claims()?.auth_time);
      }
      const headers = { authorization: `Bearer ${tokens.access_token}` };
      expect((await fetch(`${server.issuer}/userinfo`, { headers })).status).to.equal(200);
    }
  });

  it('CL9 of several steps leads on from each, and a pushed request does', async () => {
    const third = await relyingParty(server.issuer, webApp);
    const { url } = await third.begin({ prompt: 'consent' });
    const pushed = await oidc.buildAuthorizationUrlWithPAR(third.configuration, new URL(url).searchParams);
    for (const address of [url, pushed.href]) {
      const session = openWebSession();
      const first = page(await session.open(address));
      const consent = page(await session.submit(first, MARA, { until: UNTIL }));
      const allowed = app(await session.submit(consent, {}, { until: UNTIL }));
      for (const shown of [
        await session.submit(consent, {}, { until: UNTIL }),
        await session.open(consent.url, UNTIL),
        await session.open(first.url, UNTIL),
      ]) {
        // The first step leads to consent again, since the app asks for it each time.
        const on = typeof shown === 'string' ? shown : app(await session.submit(shown, {}, { until: UNTIL }));
        expect(new URL(on).searchParams.has('code'), address).to.equal(true);
        expect(on).to.not.equal(allowed);
      }
    }
  });

  it('CL9 that the person gave up tells the app so again', async () => {
    const { session, first } = await begin();
    const form = first.forms.find(({ action }) => action.endsWith('/cancel'));
    const cancelled = form && { until: UNTIL, form };
    for (let press = 0; press < 2; press += 1)
      expect(app(await session.submit(first, {}, cancelled))).to.contain('error=access_denied');
    expect(app(await session.open(first.url, UNTIL))).to.contain('error=access_denied');
  });

  it('CL9 leads many presses at once to the app, and none to an error', async () => {
    const { session, first } = await begin();
    const presses = Array.from({ length: 5 }, () => session.submit(first, MARA, { until: UNTIL }));
    // One whose session's id another has just replaced asks anew.
    const reached = await Promise.all(presses);
    expect(reached.some((at) => typeof at === 'string' && at.includes('code='))).to.equal(true);
    for (const at of reached) if (typeof at !== 'string') expect(at.status).to.equal(200);
  });

  it('CL9 S1 gives another browser nothing, and after signing out it asks anew', async () => {
    const { session, first } = await begin();
    app(await session.submit(first, MARA, { until: UNTIL }));
    const resume = first.url.replace('/interaction/', '/authorize/');
    for (const [address, status] of [
      [first.url, 410],
      [resume, 400],
    ] as const)
      expect(page(await openWebSession().open(address)).status).to.equal(status);
    const leaving = page(await session.open(`${server.issuer}/logout`));
    page(await session.submit(leaving, { logout: 'yes' }));
    for (const address of [first.url, resume]) {
      const asked = page(await session.open(address, UNTIL));
      expect(asked.status).to.equal(200);
      expect(asked.url).to.not.equal(first.url);
      expect(asked.body).to.contain('type="password"');
    }
  });

  it('CL9 leaves no cookies to pile up: four at most, and the oldest goes', async () => {
    const session = openWebSession();
    const begun: Page[] = [];
    for (let count = 0; count < 6; count += 1) begun.push((await begin({}, session)).first);
    const cookies = await session.jar.getCookies(server.issuer);
    const [{ url = '' } = {}] = begun;
    const under = await session.jar.getCookies(url);
    expect(under).to.have.length(cookies.length);
    expect(cookies.filter(({ key }) => key.startsWith('portico_sign_in_'))).to.have.length(4);
    expect(cookies.filter(({ key }) => /interaction|resume/.test(key))).to.deep.equal([]);
    const reached = await Promise.all(begun.map((each) => session.open(each.url, UNTIL)));
    expect(reached.map((each) => page(each).status)).to.deep.equal([410, 410, 200, 200, 200, 200]);
    app(await session.submit(page(reached[2] ?? ''), MARA, { until: UNTIL }));
  });
});
