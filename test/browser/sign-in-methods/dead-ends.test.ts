/** Wherever a sign-in can get stuck there is a page that says what happened and leads on. */
import { expect } from 'chai';
import { type Channel, DOCTOR, freshBrowser, headingOf, MARA, openChannel } from './sign-in-server.ts';

describe('a sign-in that got stuck', () => {
  let channel: Channel;
  before(async () => {
    channel = await openChannel();
  });
  after(() => channel.close());

  async function appBeginsAt(address: Record<string, string>): Promise<void> {
    const { clients } = channel.server.running.stores;
    const known = await clients.byId('own-app');
    if (known !== undefined) await clients.put({ ...known, metadata: { ...known.metadata, ...address } });
  }

  it('by the back button after it was done leads back to the app', async () => {
    const visit = await channel.begin();
    const { url } = visit.page;
    await visit.press('/sign-in', MARA);
    expect(await visit.session.open(url, ['https://own.test/'])).to.contain('?code=');
  });

  it('when it is gone for good leads to the app’s page', async () => {
    await appBeginsAt({ client_uri: 'https://own.test/' });
    const { session } = await channel.begin();
    const gone = await session.open(`${channel.server.url}/interaction/gone`);
    if (typeof gone === 'string') throw new Error(`The browser was sent to ${gone}.`);
    expect(gone.status).to.equal(410);
    expect(gone.body).to.contain('href="https://own.test/"').and.to.contain('Back to Own App');
  });

  it('leads to where the app begins a sign-in, when it has said where', async () => {
    await appBeginsAt({ initiate_login_uri: 'https://own.test/login?tenant=1' });
    const { session } = await channel.begin();
    const gone = await session.open(`${channel.server.url}/interaction/gone`);
    const href = new URL('https://own.test/login?tenant=1');
    href.searchParams.set('iss', channel.server.issuer);
    expect(typeof gone === 'string' ? '' : gone.body).to.contain(
      `href="${href.href.replaceAll('&', '&amp;')}"`,
    );
  });

  it('shows no address that a cookie made up', async () => {
    const session = freshBrowser();
    const value = `${Buffer.from('own-app').toString('base64url')}.${'A'.repeat(43)}`;
    await session.jar.setCookie(`portico_app=${value}`, channel.server.url);
    const gone = await session.open(`${channel.server.url}/interaction/gone`);
    expect(typeof gone === 'string' ? '' : gone.body).to.not.contain('own.test');
  });

  it('because it took too long says so', async () => {
    const slow = await openChannel({ config: { oidc: { lifetimes: { interaction: 60 } } } });
    try {
      const visit = await slow.begin();
      slow.later(61);
      await visit.press('/sign-in', MARA);
      expect(visit.page.status).to.equal(410);
      expect(headingOf(visit.page)).to.equal('This sign-in has ended');
    } finally {
      await slow.close();
    }
  });

  it('because cookies are blocked says so', async () => {
    const visit = await channel.begin();
    const reply = await freshBrowser().request(visit.page.url);
    expect(reply.status).to.equal(410);
    const body = await reply.text();
    expect(body).to.contain('keeps no cookies').and.to.contain('Allow cookies for this site');
  });

  it('in a second tab goes on there, and both come back to their own app page', async () => {
    const one = await channel.begin();
    const two = await channel.begin({}, one.session);
    await two.press('/sign-in', MARA);
    await one.press('/sign-in', MARA);
    expect(String(one.at)).to.contain(`state=${one.started.state}`);
    expect(String(two.at)).to.contain(`state=${two.started.state}`);
  });

  it('in a second tab may end as another person', async () => {
    const one = await channel.begin();
    const two = await channel.begin({}, one.session);
    await two.press('/sign-in', MARA);
    await one.press('/sign-in', DOCTOR);
    const until = [channel.party.client.redirectUri];
    for (let pages = 0; pages < 2 && typeof one.at !== 'string'; pages += 1) {
      one.at = await one.session.submit(one.at, {}, { until });
    }
    expect((await one.claims()).sub).to.equal((await channel.account(DOCTOR.login))?.id);
  });

  it('by a form that was sent twice ends where the first one led', async () => {
    const visit = await channel.begin();
    const form = visit.page.forms[0];
    if (form === undefined) throw new Error('no form');
    const body = new URLSearchParams({ ...form.fields, ...MARA });
    const headers = { origin: channel.server.url, 'sec-fetch-site': 'same-origin' };
    const send = () => visit.session.request(form.action, { method: 'POST', body, headers });
    const first = await send();
    const second = await send();
    expect(second.status).to.equal(303);
    expect(second.headers.get('location')).to.equal(first.headers.get('location'));
    const wrong = await visit.session.request(form.action, {
      method: 'POST',
      body: new URLSearchParams({ ...form.fields, login: 'x', password: 'y' }),
      headers,
    });
    expect(wrong.headers.get('location')).to.equal(first.headers.get('location'));
  });

  it('by a link to one of its steps comes to the page that is due', async () => {
    const visit = await (await channel.begin()).press('/code/send', { login: MARA.login });
    const { url } = visit.page;
    for (const step of ['/sign-in', '/code/send', '/arrived', '/arrived?answer=made-up', '/with/google']) {
      const page = await visit.session.open(url + step);
      expect(typeof page === 'string' ? '' : headingOf(page), step).to.equal('Check your email');
    }
  });

  it('always offers the way back to the app', async () => {
    const visit = await channel.begin();
    const pages = [visit.page];
    await visit.press('/code/send', { login: MARA.login });
    await visit.press('/another');
    pages.push(visit.page);
    for (const page of pages)
      expect(page.forms.some(({ action }) => action.endsWith('/cancel'))).to.equal(true);
    await visit.press('/cancel');
    expect(new URL(String(visit.at)).searchParams.get('error')).to.equal('access_denied');
  });
});
