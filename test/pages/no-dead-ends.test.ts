/**
 * Whatever goes wrong on the way, a page says what happened and offers a next step. A browser without
 * JavaScript walks into each corner.
 */
import { expect } from 'chai';
import { type RelyingParty, relyingParty } from '../support/relying-party.ts';
import { startTestServer, type TestServer } from '../support/server.ts';
import { openWebSession, type Page, type WebSession } from '../support/web-session.ts';

const MARA = { login: 'mara@clinic.test', password: 'Harbour-Lantern-Quartz-41' };

describe('no dead ends', () => {
  let server: TestServer;
  let party: RelyingParty;

  before(async () => {
    server = await startTestServer({ dialects: [] });
    party = await relyingParty(server.issuer);
  });
  after(() => server.close());

  const until = ['https://app.test/'];

  function page(shown: Page | string): Page {
    if (typeof shown === 'string') throw new Error(`The browser was sent to ${shown}.`);
    return shown;
  }

  async function begin(session: WebSession = openWebSession(), extra: Record<string, string> = {}) {
    const started = await party.begin(extra);
    return { session, started, first: page(await session.open(started.url, until)) };
  }

  /** One heading, a sentence, and something to do: a link, a button, or words that say where to go. */
  function expectWayOn({ status, body, headers }: Page, expected: number): void {
    expect(status).to.equal(expected);
    expect(headers.get('content-type')).to.contain('text/html');
    expect(body.match(/<h1>/g)).to.have.length(1);
    expect(body).to.match(/<a [^>]*href="(\/|https:\/\/)|<button|Go back to the app|choose “Sign in”/);
    expect(body).to.not.match(/\bat \w+.*\.ts:\d+|Error:|undefined|\[object/);
  }

  /** The whole way from a sign-in page to the app. */
  async function finish(session: WebSession, from: Page): Promise<string> {
    let at: Page | string = await session.submit(from, MARA, { until });
    if (typeof at !== 'string') at = await session.submit(at, {}, { until });
    if (typeof at !== 'string') throw new Error(`The sign-in ended at ${at.url}.`);
    return at;
  }

  it('an interaction that is over, or that never was', async () => {
    expectWayOn(page(await openWebSession().open(`${server.url}/interaction/gone`)), 410);
    const { session, first } = await begin();
    await finish(session, first);
    expect(await session.open(first.url, until)).to.contain('https://app.test/callback?code=');
  });

  it('the form of an interaction that is over', async () => {
    const { session, first } = await begin();
    await finish(session, first);
    expect(await session.submit(first, MARA, { until })).to.contain('https://app.test/callback?code=');
  });

  it('the form of another browser', async () => {
    const { first } = await begin();
    expectWayOn(page(await openWebSession().submit(first, MARA)), 403);
  });

  it('the back button from consent to the sign-in form', async () => {
    const { session, first, started } = await begin(undefined, { prompt: 'consent' });
    page(await session.submit(first, MARA, { until }));
    const again = await session.submit(first, MARA, { until });
    // Either the consent page again, or on to it: never a refusal.
    const consent = page(again);
    expect([200, 410]).to.include(consent.status);
    expectWayOn(consent, consent.status);
    expect(started.url).to.contain('prompt=consent');
  });

  it('a form that is sent many times at once', async () => {
    const { session, first } = await begin();
    const shown = await Promise.all(Array.from({ length: 8 }, () => session.submit(first, MARA, { until })));
    for (const one of shown) if (typeof one !== 'string') expectWayOn(one, one.status);
    const statuses = shown.map((one) => (typeof one === 'string' ? 200 : one.status));
    expect(statuses).to.include(200);
    for (const status of statuses) expect(status).to.be.oneOf([200, 400, 410]);
  });

  it('two tabs: each finishes its own sign-in', async () => {
    const { session, first, started } = await begin();
    const second = await begin(session);
    const [callback, other] = [await finish(session, first), await finish(session, second.first)];
    expect(new URL(callback).searchParams.get('state')).to.equal(started.state);
    expect(new URL(other).searchParams.get('state')).to.equal(second.started.state);
    expect((await party.finish(started, callback)).access_token).to.be.a('string');
    expect((await party.finish(second.started, other)).access_token).to.be.a('string');
  });

  it('a browser that keeps no cookies', async () => {
    const { url } = await party.begin();
    const forgetful = async (address: string) => {
      const reply = await fetch(address, { headers: { accept: 'text/html' }, redirect: 'manual' });
      return reply.headers.get('location');
    };
    const interaction = new URL((await forgetful(url)) ?? '', server.url).href;
    const reached = page(await openWebSession().open(interaction));
    expectWayOn(reached, 410);
    expect(reached.body).to.contain('cookies');
    const { first } = await begin();
    const posted = page(await openWebSession().submit(first, MARA));
    expectWayOn(posted, 403);
    expect(posted.body).to.contain('allow cookies');
  });

  it('the address of a step, reloaded by hand', async () => {
    const { session, first } = await begin();
    await session.submit(first, { ...MARA, password: 'Not-The-Password-11' });
    for (const step of ['sign-in', 'consent', 'cancel', 'nothing/of/ours']) {
      const again = page(await session.open(`${first.url}/${step}`));
      expect(again.url, step).to.equal(first.url);
      expectWayOn(again, 200);
    }
  });

  it('a page that is not there, and a path that cannot be read', async () => {
    expectWayOn(page(await openWebSession().open(`${server.url}/nothing/here`)), 404);
    expectWayOn(page(await openWebSession().open(`${server.url}/interaction/%E0%A4%A`)), 410);
  });

  for (const [what, change] of [
    ['an app that is not known', { client_id: 'nobody' }],
    ['an address that is not the app’s', { redirect_uri: 'https://evil.test/' }],
    ['a request for nothing', { response_type: '' }],
  ] as const) {
    it(`a request of an app that cannot be told so: ${what}`, async () => {
      const { url } = await party.begin(change);
      const shown = await openWebSession().open(url, until);
      if (typeof shown === 'string') expect(new URL(shown).searchParams.get('error')).to.be.a('string');
      else expectWayOn(shown, 400);
    });
  }

  it('the provider’s own corners', async () => {
    const session = openWebSession();
    for (const [path, status] of [
      ['/authorize', 400],
      ['/authorize/an-old-one', 400],
      ['/device/an-old-one', 400],
      ['/logout?post_logout_redirect_uri=https://evil.test/&client_id=web-app', 400],
      ['/logout?id_token_hint=x', 400],
      ['/logout/confirm', 405],
      ['/logout/success', 200],
    ] as const) {
      const shown = page(await session.open(server.url + path));
      if (path === '/logout/success') expect(shown.status).to.equal(200);
      else expectWayOn(shown, status);
    }
  });

  /** What the links in the middle of a page lead to. */
  async function followed(session: WebSession, { body }: Page): Promise<Map<string, Page>> {
    const main = /<main[\s\S]*<\/main>/.exec(body)?.[0] ?? '';
    const pages = new Map<string, Page>();
    for (const [, href = ''] of main.matchAll(/<a [^>]*href="(\/[^"]*)"/g)) {
      const path = href.replaceAll('&amp;', '&');
      pages.set(path, page(await session.open(server.url + path, until)));
    }
    return pages;
  }

  it('what is over leads on: to the app, to the sign-in, or to a new link, and that page is there', async () => {
    for (const [path, status, next] of [
      ['/reset?token=gone&organization=default', 400, '/forgot?organization=default&client='],
      ['/reset?token=gone&organization=nowhere', 400, '/forgot?organization=default&client='],
      ['/reset/done?organization=default', 200, '/account?organization=default'],
      ['/logout/success', 200, '/account?organization='],
      ['/account/deleted', 200, '/'],
      ['/interaction/gone', 410, '/'],
      ['/nowhere', 404, '/'],
      ['/forgot/sent?organization=default', 200, '/forgot?organization=default'],
      ['/', 200, '/account'],
    ] as const) {
      const session = openWebSession();
      const shown = page(await session.open(server.url + path));
      expect(shown.status, path).to.equal(status);
      const leads = await followed(session, shown);
      expect([...leads.keys()], path).to.include(next);
      for (const [href, { status: there }] of leads) expect(there, `${path} to ${href}`).to.equal(200);
    }
  });

  it('a reset in the browser that the app sent here leads back to the app', async () => {
    const { clients } = server.running.stores;
    const known = await clients.byId('web-app');
    if (known === undefined) throw new Error('There is no web-app.');
    await clients.put({ ...known, metadata: { ...known.metadata, client_uri: 'https://app.test/' } });
    const { session } = await begin();
    for (const path of ['/reset/done?organization=default', '/account/deleted']) {
      const { body } = page(await session.open(server.url + path));
      expect(body, path).to.contain('href="https://app.test/"').and.contain('Back to Web App');
    }
    const refused = page(await session.open(`${server.url}/reset?token=gone`));
    expect(refused.body).to.contain('href="/forgot?organization=default&amp;client=web-app"');
    const elsewhere = page(await openWebSession().open(`${server.url}/reset/done?organization=default`));
    expect(elsewhere.body).to.not.contain('https://app.test/');
  });

  it('a sign-in after the signing keys were rotated', async () => {
    const { session, first, started } = await begin();
    await server.running.oidc.rotateKeys({ force: true });
    const callback = await finish(session, first);
    const fresh = await relyingParty(server.issuer);
    expect((await fresh.finish(started, callback)).access_token).to.be.a('string');
  });
});
