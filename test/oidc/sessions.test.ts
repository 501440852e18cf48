import http from 'node:http';
import type { AddressInfo } from 'node:net';
import { mock } from 'node:test';
import { expect } from 'chai';
import { ACR } from '../../src/oidc/contract.ts';
import {
  authorizePath,
  Browser,
  codeFor,
  openWorld,
  redeem,
  tokensFor,
  userinfo,
  type World,
} from './support.ts';

describe('browser sessions', () => {
  let world: World;
  before(async () => {
    world = await openWorld();
  });
  after(() => world.close());
  afterEach(() => mock.timers.reset());

  function pass(seconds: number): void {
    const now = Date.now();
    mock.timers.reset();
    mock.timers.enable({ apis: ['Date'], now: now + seconds * 1000 });
  }

  const sessionOf = async (browser: Browser, at = world.issuer) =>
    (await browser.jar.getCookies(at)).find(({ key }) => key.endsWith('portico_session'))?.value;

  /** Another browser with the same cookies, as they are now. */
  const copyOf = async (browser: Browser) => {
    const copy = new Browser(world);
    for (const { key, value } of await browser.jar.getCookies(world.issuer))
      await copy.jar.setCookie(`${key}=${value}; Path=/`, world.issuer);
    return copy;
  };

  const silently = async (browser: Browser, changes: Record<string, string> = {}) => {
    browser.person = undefined;
    const page = await browser.open(authorizePath({ prompt: 'none', ...changes }));
    return page.url.searchParams.get('error') ?? 'signed in';
  };

  it('S1 a sign-in gives the browser a new session id, and so does each further one', async () => {
    const browser = new Browser(world, 'nora');
    await codeFor(browser);
    const first = await sessionOf(browser);
    // With its signature: what whoever had read the cookies before the sign-in would hold.
    const copy = await copyOf(browser);
    expect(await silently(copy)).to.equal('signed in');
    await codeFor(browser, { prompt: 'login' });
    const second = await sessionOf(browser);
    expect(first).to.be.a('string');
    expect(second).to.not.equal(first);
    expect(await silently(copy)).to.equal('login_required');
  });

  it('S1 a planted session id is not taken over', async () => {
    const browser = new Browser(world, 'nora');
    await browser.jar.setCookie('portico_session=planted-by-somebody-else; Path=/', world.issuer);
    await browser.jar.setCookie('portico_session.sig=AAAAAAAAAAAAAAAAAAAAAAAAAAA; Path=/', world.issuer);
    await codeFor(browser);
    expect(await sessionOf(browser)).to.not.equal('planted-by-somebody-else');
    // One of ours, rightly signed: the attacker's own.
    const attacker = new Browser(world, 'otto');
    await codeFor(attacker);
    const victim = await copyOf(attacker);
    victim.person = 'nora';
    const code = await codeFor(victim, { prompt: 'login' });
    const { access_token: token } = (await redeem(world, code)).body;
    expect((await userinfo(world, String(token))).body.sub).to.equal('nora');
    expect(await silently(attacker)).to.equal('login_required');
  });

  it('S1 an interaction that one browser began is not finished in another', async () => {
    const victim = new Browser(world);
    const started = await victim.send(authorizePath());
    const interaction = String(started.headers.get('location'));
    const attacker = new Browser(world, 'otto');
    expect((await attacker.send(interaction)).status).to.equal(410);
    await attacker.send(authorizePath());
    expect((await attacker.send(interaction)).status).to.equal(410);
    expect((await attacker.send(interaction.replace('/interaction/', '/authorize/'))).status).to.equal(400);
  });

  it('S2 cookies on https have the strict names, and are HttpOnly, Secure, SameSite and signed', async () => {
    const secure = await openWorld({ issuer: 'https://id.north.test' });
    const browser = new Browser(secure, 'nora');
    const page = await browser.open(authorizePath());
    expect(page.url.searchParams.has('code')).to.equal(true);
    expect(page.url.searchParams.get('iss')).to.equal('https://id.north.test');
    const set = browser.cookies.filter((line) => !/expires=Thu, 01 Jan 1970/i.test(line));
    const names = set.map((line) => line.split('=')[0]);
    expect(names).to.include.members(['__Host-portico_session', '__Host-portico_session.sig']);
    expect(names.filter((name) => name?.startsWith('__Host-portico_sign_in_'))).to.have.length(1);
    for (const line of set) {
      expect(line.toLowerCase())
        .to.include('; httponly')
        .and.include('; secure')
        .and.include('; samesite=lax');
      expect(line.toLowerCase()).to.not.include('domain=');
      expect(line).to.match(/^__Host-.*; path=\/(;|$)/);
    }
    await secure.close();
  });

  it('S2 cookies on plain http have no prefix, and the same guards otherwise', async () => {
    const browser = new Browser(world, 'nora');
    await codeFor(browser);
    expect(browser.cookies.some((line) => line.startsWith('portico_session='))).to.equal(true);
    for (const line of browser.cookies) {
      expect(line.toLowerCase())
        .to.include('; httponly')
        .and.include('; samesite=lax')
        .and.not.include('; secure');
    }
  });

  it('S2 a tampered, cut, doubled or huge cookie is no session and no error', async () => {
    const browser = new Browser(world, 'nora');
    await codeFor(browser);
    const all = await browser.jar.getCookies(world.issuer);
    const value = String(await sessionOf(browser));
    const signature = String(all.find(({ key }) => key === 'portico_session.sig')?.value);
    const bent = `${signature.slice(0, -6)}AAAAAA`;
    for (const cookie of [
      `portico_session=${value}`,
      `portico_session=${value}; portico_session.sig=${bent}`,
      `portico_session=${value.slice(0, -1)}; portico_session.sig=${signature}`,
      `portico_session=x; portico_session=${value}; portico_session.sig=${signature}`,
      `portico_session=${'x'.repeat(8_000)}; portico_session.sig=${signature}`,
      `portico_session=; portico_session.sig=`,
    ]) {
      const page = await new Browser(world).send(authorizePath({ prompt: 'none' }), { headers: { cookie } });
      expect(page.status, cookie.slice(0, 40)).to.equal(303);
      expect(page.headers.get('location')).to.include('login_required');
    }
  });

  it('S3 a session ends after eight hours without use', async () => {
    const browser = new Browser(world, 'nora');
    await codeFor(browser);
    pass(7 * 3600);
    expect(await silently(browser)).to.equal('signed in');
    pass(7 * 3600);
    expect(await silently(browser)).to.equal('signed in');
    pass(9 * 3600);
    expect(await silently(browser)).to.equal('login_required');
  });

  it('S3 a session ends a week after the sign-in, however much it is used', async () => {
    const browser = new Browser(world, 'nora');
    await codeFor(browser);
    for (let hours = 0; hours < 7 * 24 - 7; hours += 7) {
      pass(7 * 3600);
      expect(await silently(browser)).to.equal('signed in');
    }
    pass(7 * 3600);
    expect(await silently(browser)).to.equal('login_required');
  });

  it('S4 logging out ends the session on another node too', async () => {
    const other = await openWorld({ beside: world });
    const browser = new Browser(world, 'otto');
    await codeFor(browser);
    const [session] = await world.oidc.accountAccess.listSessions('otto');
    expect(await other.oidc.accountAccess.endSession('nora', String(session?.uid))).to.equal(false);
    expect(await other.oidc.accountAccess.endSession('otto', String(session?.uid))).to.equal(true);
    expect(await silently(browser)).to.equal('login_required');
    await other.close();
  });

  it('another person who signs in over a session ends it, without a page between', async () => {
    const browser = new Browser(world, 'nora');
    const tokens = await tokensFor(world, { browser });
    browser.person = 'otto';
    const reply = await redeem(world, await codeFor(browser, { prompt: 'login' }));
    expect(reply.status).to.equal(200);
    expect(await silently(browser)).to.equal('signed in');
    expect((await userinfo(world, tokens.access_token)).status).to.equal(401);
  });

  describe('opened outside an interaction', () => {
    let channel: http.Server;
    let url: string;
    before(async () => {
      channel = http.createServer(async (request, response) => {
        const { sessions } = world.oidc;
        if (request.url === '/open') {
          const session = { accountId: 'nora', amr: ['sso'], acr: ACR.legacy, note: { strict: true } };
          await sessions.open(request, response, session);
          response.end('open');
        } else if (request.url === '/end') {
          await sessions.end(request, response);
          response.end('ended');
        } else response.end(JSON.stringify((await sessions.read(request, response)) ?? null));
      });
      await new Promise<void>((resolve) => channel.listen(0, '127.0.0.1', resolve));
      url = `http://127.0.0.1:${(channel.address() as AddressInfo).port}`;
    });
    after(() => channel.close());

    async function at(path: string, browser: Browser): Promise<string> {
      const cookie = await browser.jar.getCookieString(world.issuer);
      const reply = await fetch(url + path, { headers: cookie ? { cookie } : {} });
      for (const line of reply.headers.getSetCookie()) await browser.jar.setCookie(line, world.issuer);
      return reply.text();
    }

    it('S1 a session signs the browser in for clients of its organization, under a new id each time', async () => {
      const browser = new Browser(world);
      await at('/open', browser);
      const first = await sessionOf(browser);
      expect(await silently(browser)).to.equal('signed in');
      expect(await silently(browser, { client_id: 'south-web' })).to.equal('login_required');
      await at('/open', browser);
      expect(await sessionOf(browser)).to.not.equal(first);
      const old = new Browser(world);
      await old.jar.setCookie(`portico_session=${first}`, world.issuer);
      expect(await at('/', old)).to.equal('null');
    });

    it('is read, says how the person came in, and is ended', async () => {
      const browser = new Browser(world);
      expect(await at('/', browser)).to.equal('null');
      await at('/open', browser);
      const read = JSON.parse(await at('/', browser));
      expect(read).to.deep.include({ accountId: 'nora', amr: ['sso'] });
      expect(Date.parse(read.signedInAt)).to.be.closeTo(Date.now(), 60_000);
      const tokens = await tokensFor(world, { browser });
      const claims = JSON.parse(Buffer.from(String(tokens.id_token.split('.')[1]), 'base64url').toString());
      expect(claims).to.deep.include({ acr: ACR.legacy, amr: ['sso'] });
      await at('/end', browser);
      expect(await at('/', browser)).to.equal('null');
      expect(await silently(browser)).to.equal('login_required');
    });
  });
});
