import { expect } from 'chai';
import {
  authorizePath,
  Browser,
  basic,
  codeFor,
  introspect,
  openWorld,
  post,
  RECORDS_API,
  redeem,
  refresh,
  revoke,
  tokensFor,
  userinfo,
  WEB,
  type World,
} from './support.ts';

const STRANGER = basic('stranger-api', 'stranger-secret');
const SOUTH = basic('south-web', 'south-secret');

describe('who may do what with a token', () => {
  let world: World;
  before(async () => {
    world = await openWorld();
    const machine = { grant_types: ['client_credentials'], response_types: [], redirect_uris: [] };
    const traits = { introspects: ['web', 'visits-legacy'], revokes: ['web', 'visits-legacy'] };
    await world.putClient({
      clientId: 'south-api',
      secret: 'south-api-secret',
      organization: 'south',
      traits,
      metadata: machine,
    });
    await world.putClient({
      clientId: 'every-api',
      secret: 'every-secret',
      organization: 'south',
      traits: { ...traits, allOrganizations: true },
      metadata: machine,
    });
  });
  after(() => world.close());

  it('P10 a confidential client must authenticate at every endpoint', async () => {
    const { access_token: token } = await tokensFor(world);
    for (const [path, form] of Object.entries({
      '/token': { grant_type: 'client_credentials', client_id: 'machine' },
      '/introspect': { token, client_id: 'records-api' },
      '/revoke': { token, client_id: 'web' },
      '/par': { ...Object.fromEntries(new URLSearchParams(authorizePath().split('?')[1])) },
    })) {
      for (const [what, headers, extra] of [
        ['nothing', {}, {}],
        ['a wrong secret', basic('web', 'web-secreT'), { client_id: 'web' }],
        [
          'its hash',
          basic('web', String((await world.stores.clients.byId('web'))?.secretHash)),
          { client_id: 'web' },
        ],
        ['an empty secret', basic('web', ''), { client_id: 'web' }],
        ['an unknown client', basic('nobody', 'x'), { client_id: 'nobody' }],
      ] as const) {
        const reply = await post(world, path, { ...form, ...extra } as Record<string, string>, headers);
        expect(reply.status, `${path} with ${what}`).to.be.oneOf([400, 401]);
        expect(reply.body.error, `${path} with ${what}`).to.be.oneOf(['invalid_client', 'invalid_request']);
      }
    }
    expect((await introspect(world, token)).active).to.equal(true);
  });

  it('T12 what a client got for itself is inactive once the client is deleted', async () => {
    const machine = { grant_types: ['client_credentials'], response_types: [], redirect_uris: [] };
    await world.putClient({ clientId: 'brief', secret: 'brief-secret', metadata: machine });
    const traits = { introspects: ['brief'] };
    await world.putClient({ clientId: 'brief-api', secret: 'brief-api-secret', traits, metadata: machine });
    const asking = basic('brief-api', 'brief-api-secret');
    const form = { grant_type: 'client_credentials' };
    const { body } = await post(world, '/token', form, basic('brief', 'brief-secret'));
    const token = String(body.access_token);
    expect((await introspect(world, token, asking)).active).to.equal(true);
    expect(await world.oidc.registrations.endClient('brief')).to.equal(true);
    expect(await introspect(world, token, asking)).to.deep.equal({ active: false });
  });

  it('P10 authenticates by one method only', async () => {
    const { access_token: token } = await tokensFor(world);
    const assertion = {
      client_assertion: 'a.b.c',
      client_assertion_type: 'urn:ietf:params:oauth:client-assertion-type:jwt-bearer',
    };
    const asked = Object.fromEntries(new URLSearchParams(authorizePath().split('?')[1]));
    for (const [path, form] of Object.entries({
      '/token': { grant_type: 'client_credentials' },
      '/introspect': { token },
      '/revoke': { token },
      '/par': asked,
    })) {
      for (const second of [{ client_secret: 'web-secret' }, assertion]) {
        const reply = await post(world, path, { ...form, client_id: 'web', ...second }, WEB);
        expect(reply.status, path).to.equal(400);
        expect(reply.body.error, path).to.equal('invalid_request');
        expect(Object.keys(reply.body), path).to.have.members(['error', 'error_description']);
      }
      const inQuery = await post(world, `${path}?client_id=web&client_secret=web-secret`, form);
      expect(inQuery.status, `${path}, credentials in the query`).to.be.oneOf([400, 401]);
    }
    expect((await introspect(world, token)).active).to.equal(true);
  });

  it('P10 a public client introspects nothing', async () => {
    const tokens = await tokensFor(world, {
      request: { client_id: 'spa' },
      form: { client_id: 'spa' },
      headers: {},
    });
    const reply = await post(world, '/introspect', { token: tokens.access_token, client_id: 'spa' });
    expect(reply.body).to.deep.equal({ active: false });
  });

  it('a client introspects its own tokens and those listed for it, within its organization', async () => {
    const { access_token: token } = await tokensFor(world);
    expect(await introspect(world, token, WEB)).to.include({ active: true, sub: 'nora' });
    expect(await introspect(world, token)).to.include({ active: true, sub: 'nora', client_id: 'web' });
    expect(await introspect(world, token, STRANGER)).to.deep.equal({ active: false });
    expect(await introspect(world, token, basic('south-api', 'south-api-secret'))).to.deep.equal({
      active: false,
    });
    expect(await introspect(world, token, basic('every-api', 'every-secret'))).to.include({ active: true });
    const told = world.audit.filter(({ event }) => event === 'introspection.refused');
    expect(told.map(({ clientId }) => clientId)).to.include.members(['stranger-api', 'south-api']);
  });

  it('a client revokes its own tokens and those listed for it; a stranger’s lives on', async () => {
    const { access_token: token } = await tokensFor(world);
    for (const headers of [STRANGER, basic('south-api', 'south-api-secret')]) {
      expect((await revoke(world, token, headers)).status).to.equal(400);
      expect((await introspect(world, token)).active).to.equal(true);
    }
    expect((await revoke(world, token, RECORDS_API)).status).to.equal(200);
    expect(await introspect(world, token)).to.deep.equal({ active: false });
    expect((await revoke(world, 'unknown', STRANGER)).status).to.equal(200);
  });

  it('revoking by an API that has no refresh grant of its own ends the refresh token too', async () => {
    const tokens = await tokensFor(world);
    expect((await revoke(world, tokens.access_token, RECORDS_API)).status).to.equal(200);
    expect((await refresh(world, tokens.refresh_token)).body.error).to.equal('invalid_grant');
  });

  it('T12 a revocation is seen by another node at once', async () => {
    const other = await openWorld({ beside: world });
    const { access_token: token } = await tokensFor(world);
    expect((await userinfo(other, token)).status).to.equal(200);
    await revoke(world, token);
    expect((await userinfo(other, token)).status).to.equal(401);
    expect(await introspect(other, token)).to.deep.equal({ active: false });
    await other.close();
  });

  it('T4 a client serves the accounts of its organization only', async () => {
    const browser = new Browser(world, 'nora');
    await browser.open(authorizePath());
    browser.person = undefined;
    const silent = await browser.open(authorizePath({ client_id: 'south-web', prompt: 'none' }));
    expect(silent.url.searchParams.get('error')).to.equal('login_required');
    const asked = JSON.parse((await browser.open(authorizePath({ client_id: 'south-web' }))).text);
    expect(asked).to.include({ prompt: 'login', organization: 'south' });
    expect(asked).to.not.have.property('accountId');
    browser.person = 'nora';
    expect((await browser.open(authorizePath({ client_id: 'south-web' }))).status).to.equal(500);
    browser.person = 'sara';
    const tokens = (await redeem(world, await codeFor(browser, { client_id: 'south-web' }), {}, SOUTH)).body;
    expect((await userinfo(world, String(tokens.access_token))).body.sub).to.equal('sara');
    browser.person = undefined;
    const first = await browser.open(authorizePath({ prompt: 'none' }));
    expect(first.url.searchParams.get('error')).to.equal('login_required');
  });

  it('B9 an account that is not active gets nothing more: no userinfo, no introspection, no refresh, no silent sign-in', async () => {
    const setStatus = async (status: 'active' | 'inactive' | 'blocked') => {
      const otto = await world.stores.accounts.byId('otto');
      if (!otto) throw new Error('Otto is gone.');
      expect(await world.stores.accounts.update({ ...otto, status })).to.equal('updated');
    };
    for (const status of ['blocked', 'inactive'] as const) {
      const browser = new Browser(world, 'otto');
      const tokens = await tokensFor(world, { browser });
      const code = await codeFor(browser);
      await setStatus(status);
      expect((await userinfo(world, tokens.access_token)).status, status).to.equal(401);
      for (const token of [tokens.access_token, tokens.refresh_token])
        expect(await introspect(world, token), status).to.deep.equal({ active: false });
      expect((await refresh(world, tokens.refresh_token)).body.error, status).to.equal('invalid_grant');
      expect((await redeem(world, code)).body.error, status).to.equal('invalid_grant');
      browser.person = undefined;
      const silent = await browser.open(authorizePath({ prompt: 'none' }));
      expect(silent.url.searchParams.get('error'), status).to.equal('login_required');
      const asked = JSON.parse((await browser.open(authorizePath())).text);
      expect(asked, status).to.include({ prompt: 'login' }).and.not.have.property('accountId');
      await setStatus('active');
      expect((await introspect(world, tokens.access_token)).active, 'active again').to.equal(true);
    }
  });

  it('B9 introspection of a dialect’s token asks the dialect about the account', async () => {
    const grant = await world.oidc.grants.issue({
      ...{
        clientId: 'visits-legacy',
        accountId: 'otto',
        organization: 'north',
        scope: 'visits',
        amr: ['pwd'],
      },
      access: { value: 'jwt', lifetime: 600, audience: 'https://api.test', claims: {} },
    });
    for (const [status, active] of [
      ['active', true],
      ['inactive', true],
      ['blocked', false],
    ] as const) {
      const otto = await world.stores.accounts.byId('otto');
      if (!otto) throw new Error('Otto is gone.');
      await world.stores.accounts.update({ ...otto, status });
      expect((await introspect(world, grant.access.value, RECORDS_API)).active, status).to.equal(active);
    }
    const otto = await world.stores.accounts.byId('otto');
    if (otto) await world.stores.accounts.update({ ...otto, status: 'active' });
  });

  it('S4 what an account holds can be listed, ended one by one, or all at once but one', async () => {
    const browser = new Browser(world, 'sara');
    const headers = SOUTH;
    const request = { client_id: 'south-web' };
    const one = await tokensFor(world, { browser, request, headers });
    const two = await tokensFor(world, { browser: new Browser(world, 'sara'), request, headers });
    const { accountAccess, access } = world.oidc;
    const grants = await accountAccess.listGrants('sara');
    expect(grants.map(({ clientId }) => clientId)).to.include('south-web');
    const kept = await world.oidc.grants.grantOf(two.access_token, 'south-web');
    expect(await accountAccess.endGrant('nora', String(kept?.grantId))).to.deep.equal([]);
    await access.endAll('sara', { grantId: String(kept?.grantId) });
    expect(await introspect(world, one.access_token, SOUTH)).to.deep.equal({ active: false });
    expect((await introspect(world, two.access_token, SOUTH)).active).to.equal(true);
    expect(await accountAccess.listSessions('sara')).to.deep.equal([]);
    browser.person = undefined;
    const silent = await browser.open(authorizePath({ ...request, prompt: 'none' }));
    expect(silent.url.searchParams.get('error')).to.equal('login_required');
    expect(await accountAccess.endGrant('sara', String(kept?.grantId))).to.deep.equal(['grant']);
    expect(await introspect(world, two.access_token, SOUTH)).to.deep.equal({ active: false });
  });

  it('a dialect’s client is refused at every endpoint', async () => {
    for (const path of ['/token', '/introspect', '/revoke', '/par']) {
      const form = { client_id: 'visits-legacy', grant_type: 'client_credentials', token: 'x' };
      expect((await post(world, path, form)).body.error, path).to.equal('invalid_client');
    }
  });
});
