/** S5: forms that change something take posts of our own pages only. */
import { expect } from 'chai';
import { secretsFrom } from '../../src/core/crypto.ts';
import { Refused } from '../../src/core/refused.ts';
import { createForms, FORM_TOKEN, type Forms } from '../../src/http/forms/csrf.ts';
import { type HttpClient, openClient } from '../support/http-client.ts';
import { type AppOnPort, startApp } from './app-on-port.ts';

const ISSUER = 'https://id.example.org';
const ORIGIN = { origin: ISSUER };

/** What the guards never reach is not there. */
function standIn<Whole>(some: object): Whole {
  return some as Whole;
}

describe('forms of the pages', () => {
  let app: AppOnPort;
  let client: HttpClient;
  let reached = 0;

  before(async () => {
    // The same key as the app's: tokens made here are its tokens.
    const forms: Forms = createForms({ secrets: secretsFrom(new Uint8Array(32).fill(3)), issuer: ISSUER });
    const look = async () => {
      reached += 1;
      throw new Refused('not-found');
    };
    app = await startApp({
      issuer: ISSUER,
      // A token for any form.
      dialects: (ctx, next) => {
        if (ctx.path !== '/token') return next();
        ctx.body = forms.tokenFor(ctx, String(ctx.query.purpose));
      },
      pages: { interactions: standIn({ read: look }), identity: standIn({ attempts: { beginAt: look } }) },
    });
    client = openClient(app.url);
  });

  after(async () => {
    client.close();
    await app.close();
  });

  async function form(purpose = 'interaction:one', cookie = '') {
    const path = `/token?purpose=${purpose}`;
    const { text, cookies } = await client.send({ method: 'GET', path, headers: { cookie } });
    return { token: text, cookie: cookies[0]?.split(';')[0] ?? '', setCookie: cookies[0] ?? '' };
  }

  async function submit(
    { token, cookie }: { token?: string; cookie: string },
    headers: Record<string, string> = ORIGIN,
    path = '/interaction/one/sign-in',
  ) {
    const before = reached;
    const { status } = await client.send({
      method: 'POST',
      path,
      headers: { 'content-type': 'application/x-www-form-urlencoded', cookie, ...headers },
      body: token === undefined ? '' : new URLSearchParams({ [FORM_TOKEN]: token }).toString(),
    });
    return { status, reached: reached > before };
  }

  /** The page behind the guards looked for what the form is about; here there is nothing. */
  const taken = { status: 404, reached: true };
  const refused = { status: 403, reached: false };

  it('S5 takes a form of its own page', async () => {
    expect(await submit(await form())).to.deep.equal(taken);
    expect(await submit(await form(), { ...ORIGIN, 'sec-fetch-site': 'same-origin' })).to.deep.equal(taken);
  });

  for (const [what, headers] of [
    ['another site', { 'sec-fetch-site': 'cross-site', ...ORIGIN }],
    ['a sibling host', { 'sec-fetch-site': 'same-site', ...ORIGIN }],
    ['another Origin', { origin: 'https://evil.test' }],
    ['the same host over http', { origin: 'http://id.example.org' }],
    ['the same host on another port', { origin: 'https://id.example.org:8443' }],
    ['the null Origin', { origin: 'null' }],
  ] as const) {
    it(`S5 refuses a right token from ${what}`, async () => {
      expect(await submit(await form(), headers)).to.deep.equal(refused);
    });
  }

  it('S5 refuses a missing, a wrong and an empty token', async () => {
    const { cookie, token } = await form();
    expect(await submit({ cookie })).to.deep.equal(refused);
    expect(await submit({ cookie, token: '' })).to.deep.equal(refused);
    expect(await submit({ cookie, token: `${token.slice(0, -1)}-` })).to.deep.equal(refused);
  });

  it("S5 refuses another browser's token, and one of another form", async () => {
    const [mine, theirs] = [await form(), await form()];
    expect(await submit({ cookie: mine.cookie, token: theirs.token })).to.deep.equal(refused);
    const other = await form('interaction:two', mine.cookie);
    expect(await submit({ cookie: mine.cookie, token: other.token })).to.deep.equal(refused);
  });

  it('S5 refuses a token without the cookie it was made for', async () => {
    const { token } = await form();
    expect(await submit({ cookie: '', token })).to.deep.equal(refused);
    expect(await submit({ cookie: '__Host-portico_form=x', token })).to.deep.equal(refused);
  });

  it('S5 lets the reset page, which hides its origin, post with the null Origin, but not without its token', async () => {
    const own = await form('reset');
    const headers = { origin: 'null', 'sec-fetch-site': 'same-origin' };
    expect(await submit(own, headers, '/reset')).to.deep.equal(taken);
    expect(await submit({ cookie: own.cookie }, headers, '/reset')).to.deep.equal(refused);
  });

  it('S2 keeps the token cookie from scripts, other hosts and plain http', async () => {
    const { setCookie } = await form();
    expect(setCookie).to.match(/^__Host-portico_form=[\w-]{32}; Path=\/; HttpOnly; Secure; SameSite=Lax$/);
  });

  it('C7 changes nothing by GET', async () => {
    const before = reached;
    for (const path of ['/interaction/one/sign-in', '/interaction/one/consent', '/interaction/one/cancel']) {
      const reply = await client.send({ method: 'GET', path });
      // A form's address that was reloaded leads back to the page that is due.
      expect(reply.status).to.equal(303);
      expect(reply.headers.location).to.equal('/interaction/one');
    }
    expect(reached).to.equal(before);
  });
});
