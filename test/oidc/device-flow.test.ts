/** The device flow (RFC 8628) under attack and under load; its pages are walked in test/pages and test/browser. */
import { mock } from 'node:test';
import { expect } from 'chai';
import {
  Browser,
  codeFor,
  getJson,
  introspect,
  openWorld,
  type Page,
  post,
  type Reply,
  type World,
} from './support.ts';

const GRANT = 'urn:ietf:params:oauth:grant-type:device_code';

describe('the device flow', () => {
  let world: World;
  before(async () => {
    world = await openWorld({ config: { attempts: { address: { limit: 20 } } } });
    const metadata = {
      grant_types: [GRANT, 'refresh_token'],
      response_types: [],
      redirect_uris: [],
      token_endpoint_auth_method: 'none',
      client_name: 'Television',
    };
    await world.putClient({ clientId: 'tv', traits: { firstParty: true }, metadata });
    await world.putClient({ clientId: 'other-tv', traits: { firstParty: true }, metadata });
    const factors = { require: 'required', since: '2020-01-01T00:00:00Z', graceDays: 0 };
    await world.putClient({
      clientId: 'strict-tv',
      traits: { firstParty: true },
      metadata: { ...metadata, factors },
    });
    await world.putClient({
      clientId: 'south-tv',
      organization: 'south',
      traits: { firstParty: true },
      metadata,
    });
  });
  after(() => world.close());
  afterEach(() => mock.timers.reset());

  /** The clock stands there until the test is over, however busy the machine is. */
  function clockAt(milliseconds: number): void {
    mock.timers.reset();
    mock.timers.enable({ apis: ['Date'], now: milliseconds });
  }

  const start = async (clientId = 'tv', extra: Record<string, string> = {}) => {
    const reply = await post(world, '/device_authorization', {
      client_id: clientId,
      scope: 'openid offline_access',
      ...extra,
    });
    expect(reply.status, JSON.stringify(reply.body)).to.equal(200);
    return reply.body as {
      device_code: string;
      user_code: string;
      verification_uri: string;
      interval?: number;
    };
  };
  const poll = (deviceCode: string, clientId = 'tv', node = world): Promise<Reply> =>
    post(node, '/token', { grant_type: GRANT, client_id: clientId, device_code: deviceCode });

  async function enter(browser: Browser, fields: Record<string, string>): Promise<Page> {
    const page = await browser.open('/device');
    const xsrf = /name="xsrf" value="([^"]+)"/.exec(page.text)?.[1] ?? '';
    const body = new URLSearchParams({ xsrf, ...fields });
    return browser.send('/device', { method: 'POST', body });
  }

  async function approve(userCode: string, browser = new Browser(world, 'nora')): Promise<Page> {
    const page = await enter(browser, { user_code: userCode, confirm: 'yes' });
    const location = page.headers.get('location');
    return location === null ? page : browser.open(location);
  }

  it('is in the metadata', async () => {
    const metadata = await getJson(world, '/.well-known/openid-configuration');
    expect(metadata.device_authorization_endpoint).to.equal(`${world.issuer}/device_authorization`);
    expect(metadata.grant_types_supported).to.include(GRANT);
  });

  it('has codes that are easy to type and hard to guess', async () => {
    const codes = await Promise.all(Array.from({ length: 20 }, () => start()));
    for (const { user_code: code } of codes)
      expect(code).to.match(/^[BCDFGHJKLMNPQRSTVWXZ]{4}-[BCDFGHJKLMNPQRSTVWXZ]{4}$/);
    expect(new Set(codes.map(({ user_code: code }) => code)).size).to.equal(20);
  });

  it('gives the device its tokens once a person said yes, and not before', async () => {
    const { device_code: code, user_code: userCode } = await start();
    expect((await poll(code)).body.error).to.equal('authorization_pending');
    expect((await approve(userCode)).text).to.contain('device connected');
    const tokens = await poll(code);
    expect(tokens.status).to.equal(200);
    expect(tokens.body).to.include.keys('access_token', 'refresh_token', 'id_token');
  });

  it('N7 gives a device nothing by a session that lacks the second factor which its client requires', async () => {
    const { device_code: code, user_code: userCode } = await start('strict-tv');
    const page = await enter(new Browser(world, 'nora'), { user_code: userCode, confirm: 'yes' });
    expect(page.headers.get('location')).to.match(/^\/interaction\//);
    expect((await poll(code, 'strict-tv')).body.error).to.equal('authorization_pending');
  });

  it('tells a device how often to ask, and to slow down when it asks more often, until the person answers', async () => {
    clockAt(Date.now());
    const { device_code: code, user_code: userCode, interval } = await start();
    expect(interval).to.equal(5);
    expect((await poll(code)).body.error).to.equal('authorization_pending');
    for (let i = 0; i < 3; i += 1) {
      const reply = await poll(code);
      expect(reply.status).to.equal(400);
      expect(reply.body.error).to.equal('slow_down');
    }
    // Another code is another device.
    expect((await poll((await start()).device_code)).body.error).to.equal('authorization_pending');
    await approve(userCode);
    expect((await poll(code)).status).to.equal(200);
    const refusals = world.audit.filter(({ event }) => event === 'token.refused');
    expect(refusals.map(({ detail }) => detail?.error)).to.not.include.members(['slow_down']);
    expect(refusals.map(({ detail }) => detail?.error)).to.not.include.members(['authorization_pending']);
  });

  it('never tells a device to slow down that keeps to its interval, or comes a little early', async () => {
    const { device_code: code } = await start();
    const begun = Date.now();
    for (const seconds of [0, 4.5, 9.5, 14, 19]) {
      clockAt(begun + seconds * 1000);
      expect((await poll(code)).body.error, `after ${seconds} s`).to.equal('authorization_pending');
    }
    clockAt(begun + 20_000);
    expect((await poll(code)).body.error).to.equal('slow_down');
  });

  it('X2 of twenty questions at once over two nodes one is in time', async () => {
    const other = await openWorld({ beside: world });
    clockAt(Date.now());
    const { device_code: code } = await start();
    const replies = await Promise.all(
      Array.from({ length: 20 }, (_, i) => poll(code, 'tv', i % 2 ? world : other)),
    );
    const said = replies.map(({ body }) => body.error);
    expect(said.filter((error) => error === 'authorization_pending')).to.have.length(1);
    expect(said.filter((error) => error === 'slow_down')).to.have.length(19);
    await other.close();
  });

  it('counts no question of another client, nor one that is over', async () => {
    const { device_code: code, user_code: userCode } = await start();
    for (let i = 0; i < 2; i += 1)
      expect((await poll(code, 'other-tv')).body.error).to.equal('invalid_grant');
    expect((await poll(code)).body.error).to.equal('authorization_pending');
    await enter(new Browser(world), { user_code: userCode, abort: 'yes' });
    expect((await poll(code)).body.error).to.equal('access_denied');
  });

  it('X2 of thirty polls over two nodes one gets the tokens, and they live', async () => {
    const other = await openWorld({ beside: world });
    const { device_code: code, user_code: userCode } = await start();
    await approve(userCode);
    const replies = await Promise.all(
      Array.from({ length: 30 }, (_, i) => poll(code, 'tv', i % 2 ? world : other)),
    );
    const winners = replies.filter(({ status }) => status === 200);
    expect(winners).to.have.length(1);
    expect(replies.filter(({ body }) => body.error === 'invalid_grant')).to.have.length(29);
    await other.close();
    const token = String(winners[0]?.body.access_token);
    const reply = await fetch(`${world.url}/userinfo`, { headers: { authorization: `Bearer ${token}` } });
    expect(reply.status).to.equal(200);
  });

  it('X2 of two people who confirm one code at the same moment one goes on', async () => {
    const { user_code: userCode } = await start();
    const people = [new Browser(world, 'nora'), new Browser(world, 'otto'), new Browser(world, 'nora')];
    const pages = await Promise.all(
      people.map((browser) => enter(browser, { user_code: userCode, confirm: 'yes' })),
    );
    expect(pages.filter(({ status }) => status === 303)).to.have.length(1);
    for (const page of pages.filter(({ status }) => status !== 303)) {
      expect(page.status).to.equal(400);
      expect(page.text).to.contain('device-code-used');
    }
  });

  it('P4 binds a device code to its client', async () => {
    const { device_code: code, user_code: userCode } = await start();
    await approve(userCode);
    expect((await poll(code, 'other-tv')).body.error).to.equal('invalid_grant');
    expect((await poll(code)).status).to.equal(200);
  });

  it('T4 serves the accounts of its client’s organization only', async () => {
    const north = new Browser(world, 'nora');
    await codeFor(north);
    const { device_code: code, user_code: userCode } = await start('south-tv');
    north.person = undefined;
    const page = await approve(userCode, north);
    expect(JSON.parse(page.text)).to.include({ prompt: 'login', organization: 'south' });
    expect((await poll(code, 'south-tv')).body.error).to.equal('authorization_pending');
    const again = await start('south-tv');
    await approve(again.user_code, new Browser(world, 'sara'));
    expect((await poll(again.device_code, 'south-tv')).status).to.equal(200);
  });

  it('tells the device when the person says no, at the code and at the sign-in', async () => {
    const atOnce = await start();
    const page = await enter(new Browser(world), { user_code: atOnce.user_code, abort: 'yes' });
    expect(page.text).to.contain('device-stopped');
    expect((await poll(atOnce.device_code)).body.error).to.equal('access_denied');

    const later = await start();
    const browser = new Browser(world);
    browser.consent = 'no';
    await approve(later.user_code, browser);
    expect((await poll(later.device_code)).body.error).to.equal('access_denied');
  });

  it('S4 a blocked account’s approval is worth nothing', async () => {
    const { device_code: code, user_code: userCode } = await start();
    await approve(userCode, new Browser(world, 'otto'));
    await world.oidc.access.endAll('otto');
    expect((await poll(code)).body.error).to.equal('invalid_grant');

    const setStatus = async (status: 'active' | 'blocked') => {
      const otto = await world.stores.accounts.byId('otto');
      if (otto !== undefined) await world.stores.accounts.update({ ...otto, status });
    };
    // Before what he holds is ended, too.
    const again = await start();
    await approve(again.user_code, new Browser(world, 'otto'));
    await setStatus('blocked');
    expect((await poll(again.device_code)).body.error).to.equal('invalid_grant');
    await setStatus('active');
  });

  it('S5 takes no form without the secret of its page, nor one of another browser', async () => {
    const { user_code: userCode, device_code: code } = await start();
    const fields = { user_code: userCode, confirm: 'yes' };
    const none = await enter(new Browser(world, 'nora'), { ...fields, xsrf: 'x' });
    expect(none.status).to.equal(400);
    const foreign = (await new Browser(world, 'otto').open('/device')).text;
    const xsrf = /value="([^"]+)"/.exec(foreign)?.[1] ?? '';
    expect((await enter(new Browser(world, 'nora'), { ...fields, xsrf })).text).to.contain(
      'device-form-expired',
    );
    const without = await post(world, '/device', { ...fields, xsrf });
    expect(without.status).to.equal(400);
    expect((await poll(code)).body.error).to.equal('authorization_pending');
  });

  it('a link with the code in it fills the field and confirms nothing', async () => {
    const { device_code: code, user_code: userCode } = await start();
    const page = await new Browser(world, 'nora').open(`/device?user_code=${userCode}`);
    expect(page.text).to.contain('name="xsrf"').and.not.contain('<script');
    expect((await poll(code)).body.error).to.equal('authorization_pending');
  });

  it('X1 the store holds neither code', async () => {
    const { device_code: code, user_code: userCode } = await start();
    const { readFileSync, existsSync } = await import('node:fs');
    const bytes = [world.file, `${world.file}-wal`]
      .filter((file) => existsSync(file))
      .map((file) => readFileSync(file, 'latin1'))
      .join('');
    expect(bytes.length).to.be.above(1000);
    for (const secret of [code, userCode, userCode.replace('-', '')]) expect(bytes).to.not.contain(secret);
  });

  it('L1 writes who started, connected and refused', async () => {
    const before = world.audit.length;
    const { device_code: code, user_code: userCode } = await start();
    await approve(userCode);
    await poll(code);
    const stopped = await start();
    await enter(new Browser(world), { user_code: stopped.user_code, abort: 'yes' });
    const lines = world.audit.slice(before);
    const events = lines.map(({ event }) => event);
    expect(events).to.include.members(['device.started', 'grant.issued', 'token.issued', 'device.refused']);
    expect(lines.find(({ event }) => event === 'token.issued')).to.include({
      outcome: 'success',
      subject: 'nora',
      clientId: 'tv',
    });
    expect(await introspect(world, 'nothing')).to.deep.equal({ active: false });
  });

  it('C1 R4 counts wrong codes per address, and then answers no right one either', async () => {
    const { user_code: userCode } = await start();
    const browser = new Browser(world, 'nora');
    const statuses: number[] = [];
    for (let i = 0; i < 22; i += 1) statuses.push((await enter(browser, { user_code: 'BBBB-BBBB' })).status);
    expect(statuses.filter((status) => status === 429).length).to.be.within(1, 21);
    expect(statuses.at(-1)).to.equal(429);
    const right = await enter(browser, { user_code: userCode, confirm: 'yes' });
    expect(right.status).to.equal(429);
    expect(Number(right.headers.get('retry-after'))).to.be.above(0);
  });
});
