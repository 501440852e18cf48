/** APIs: which client gets a token for which, with which scopes, and what the API learns of its tokens. */
import { mock } from 'node:test';
import { expect } from 'chai';
import { createLocalJWKSet, decodeJwt, decodeProtectedHeader, type JSONWebKeySet, jwtVerify } from 'jose';
import { ALL_GRANTS, byCode, byDevice, byRefresh, onItsOwn, secretOf } from './api-flows.ts';
import {
  authorizePath,
  Browser,
  basic,
  getJson,
  introspect,
  openWorld,
  post,
  redeem,
  userinfo,
  type World,
} from './support.ts';

const RECORDS = 'https://records.test';
const BILLING = 'https://billing.test';
const GRANTED = { [RECORDS]: ['read', 'write', 'purge'], [BILLING]: ['pay'] };

describe('APIs', () => {
  let world: World;
  before(async () => {
    world = await openWorld();
    await world.putApi({
      ...{ id: 'records', secret: 'secret-of-records', lifetime: 120 },
      scopes: { read: {}, write: {}, purge: { roles: ['admin'] }, secret: {} },
      claims: { mail: 'email', birth: 'birthdate' },
    });
    await world.putApi({
      ...{ id: 'billing', secret: 'secret-of-billing', format: 'opaque' as const },
      scopes: { pay: {}, read: {} },
    });
    await world.putApi({ id: 'rsa', algorithm: 'RS256', scopes: { sign: {} } });
    await world.putApi({ id: 'south-api', organization: 'south', scopes: { read: {} } });
    const grants = { 'https://rsa.test': ['sign'], 'https://south-api.test': ['read'] };
    const metadata = { grant_types: ALL_GRANTS };
    const put = (clientId: string, more: Record<string, string | Record<string, string[]>>) =>
      world.putClient({
        ...{ clientId, secret: `${clientId}-secret`, traits: { firstParty: true } },
        metadata: { ...metadata, ...more },
      });
    await put('app', { apis: { ...GRANTED, ...grants } });
    await put('reader', { apis: { [RECORDS]: ['read'] } });
    await put('stranger', {});
    await put('defaulted', { apis: GRANTED, default_api: RECORDS });
    await put('other-default', { apis: GRANTED, default_api: 'https://rsa.test' });
  });
  after(() => world.close());
  afterEach(() => mock.timers.reset());

  const api = (id: string) => basic(id, `secret-of-${id}`);
  const verified = async (token: unknown, audience: string) => {
    const keys = createLocalJWKSet((await getJson(world, '/jwks')) as unknown as JSONWebKeySet);
    return jwtVerify(String(token), keys, { audience, issuer: world.issuer, typ: 'at+jwt' });
  };

  it('API1 a client gets tokens for the APIs and scopes that it was granted, and for no other', async () => {
    const own = await onItsOwn(world, 'app', { resource: RECORDS, scope: 'read' });
    expect(own.reply.body).to.include({ scope: 'read', expires_in: 120 });
    for (const [clientId, form, error] of [
      ['stranger', { resource: RECORDS, scope: 'read' }, 'invalid_target'],
      ['reader', { resource: BILLING, scope: 'pay' }, 'invalid_target'],
      ['app', { resource: 'https://unknown.test' }, 'invalid_target'],
      ['app', { resource: 'https://south-api.test' }, 'invalid_target'],
      ['reader', { resource: RECORDS, scope: 'read write' }, 'invalid_scope'],
      ['app', { resource: RECORDS, scope: 'secret' }, 'invalid_scope'],
      ['app', { resource: RECORDS, scope: 'unknown' }, 'invalid_scope'],
    ] as const) {
      const { reply } = await onItsOwn(world, clientId, form);
      expect([reply.status, reply.body.error], JSON.stringify([clientId, form])).to.deep.equal([400, error]);
      if (form.resource === RECORDS && 'scope' in form && form.scope === 'unknown') continue;
      for (const flow of [byCode, byDevice]) {
        const asked = await flow(world, clientId, {
          ...form,
          scope: `openid ${'scope' in form ? form.scope : ''}`.trim(),
        });
        expect(asked, JSON.stringify([flow.name, clientId, form])).to.deep.include({ signedIn: false });
        expect(asked.reply.body.error).to.equal(error);
      }
    }
    const pushed = await post(
      world,
      `/par`,
      Object.fromEntries(
        new URLSearchParams(
          authorizePath({ client_id: 'reader', resource: RECORDS, scope: 'openid write' }).split('?')[1],
        ),
      ),
      secretOf('reader'),
    );
    expect(pushed.body.error).to.equal('invalid_scope');
  });

  it('API1 a grant that is taken back ends with the next token', async () => {
    const metadata = { grant_types: ALL_GRANTS, apis: { [RECORDS]: ['read', 'write'] } };
    const put = (apis: Record<string, string[]>) =>
      world.putClient({
        ...{ clientId: 'fading', secret: 'fading-secret', traits: { firstParty: true } },
        metadata: { ...metadata, apis },
      });
    await put(metadata.apis);
    const form = { resource: RECORDS };
    const { reply } = await byCode(world, 'fading', { ...form, scope: 'read write' }, { form });
    expect(reply.body.scope).to.equal('read write');
    await put({ [RECORDS]: ['read'] });
    mock.timers.enable({ apis: ['Date'], now: Date.now() + 6_000 });
    const less = await byRefresh(world, 'fading', reply.body, form);
    expect(less.reply.body.scope).to.equal('read');
    await put({});
    mock.timers.setTime(Date.now() + 6_000);
    const none = await byRefresh(world, 'fading', less.reply.body, form);
    expect(none.reply.body.error).to.equal('invalid_target');
  });

  it('API2 one sign-in yields a token for userinfo, and one for the API that is named', async () => {
    const request = { resource: RECORDS, scope: 'openid profile read' };
    for (const flow of [byCode, byDevice]) {
      const { reply } = await flow(world, 'app', request);
      expect(reply.body.scope, flow.name).to.equal('openid profile');
      expect((await userinfo(world, String(reply.body.access_token))).body.sub).to.equal('nora');
      const named = await byRefresh(world, 'app', reply.body, { resource: RECORDS });
      expect((await verified(named.reply.body.access_token, RECORDS)).payload.scope).to.equal('read');
      expect((await userinfo(world, String(named.reply.body.access_token))).status).to.equal(401);
      const again = await byRefresh(world, 'app', named.reply.body);
      expect((await userinfo(world, String(again.reply.body.access_token))).status).to.equal(200);
      const other = await byRefresh(world, 'app', again.reply.body, { resource: BILLING });
      expect(other.reply.body.error, 'an API that was not asked for').to.equal('invalid_target');
    }
    const named = await byCode(world, 'app', request, { form: { resource: RECORDS } });
    expect(decodeJwt(String(named.reply.body.access_token))).to.include({ aud: RECORDS, scope: 'read' });
    expect(named.reply.body.id_token).to.be.a('string');
    // Without openid there is no userinfo to have a token for.
    const plain = await byCode(world, 'app', { resource: RECORDS, scope: 'read' });
    expect(decodeJwt(String(plain.reply.body.access_token))).to.include({ aud: RECORDS, scope: 'read' });
  });

  it('API3 an API asks about the tokens that are for it, whichever client got them, and about no other', async () => {
    const tokens: Record<string, unknown>[] = [];
    for (const clientId of ['app', 'reader']) {
      tokens.push((await onItsOwn(world, clientId, { resource: RECORDS, scope: 'read' })).reply.body);
      const form = { resource: RECORDS };
      tokens.push((await byCode(world, clientId, { ...form, scope: 'openid read' }, { form })).reply.body);
    }
    for (const { access_token: token, refresh_token: refreshToken, id_token: idToken } of tokens) {
      const seen = await introspect(world, String(token), api('records'));
      expect(seen).to.include({ active: true, aud: RECORDS, scope: 'read' });
      for (const text of [refreshToken, idToken].filter((value) => value !== undefined)) {
        expect(await introspect(world, String(text), api('records'))).to.deep.equal({ active: false });
      }
      expect(await introspect(world, String(token), api('billing'))).to.deep.equal({ active: false });
    }
    const billing = (await onItsOwn(world, 'app', { resource: BILLING, scope: 'pay' })).reply.body;
    const token = String(billing.access_token);
    expect(await introspect(world, token, api('billing'))).to.include({ active: true, aud: BILLING });
    expect(await introspect(world, token, api('records'))).to.deep.equal({ active: false });
    const forUserinfo = (await byCode(world, 'app', { scope: 'openid' })).reply.body.access_token;
    expect(await introspect(world, String(forUserinfo), api('records'))).to.deep.equal({ active: false });
  });

  it('API3 an API authenticates at introspection, and can do nothing else', async () => {
    const { access_token: token } = (await onItsOwn(world, 'app', { resource: RECORDS, scope: 'read' })).reply
      .body;
    const form = { token: String(token) };
    for (const headers of [
      basic('records', 'wrong'),
      basic('rsa', ''),
      basic(RECORDS, 'secret-of-records'),
    ]) {
      expect((await post(world, '/introspect', form, headers)).status).to.be.oneOf([400, 401]);
    }
    const noSecret = await post(world, '/introspect', { ...form, client_id: 'rsa' });
    expect(noSecret.status, 'an API without a secret').to.equal(401);
    for (const grant_type of ['client_credentials', 'authorization_code', 'refresh_token']) {
      const reply = await post(
        world,
        '/token',
        { grant_type, code: 'x', refresh_token: 'x' },
        api('records'),
      );
      expect(reply.status, grant_type).to.equal(400);
    }
    const page = await new Browser(world, 'nora').open(authorizePath({ client_id: 'records' }));
    expect(page.url.origin, 'no way to a redirect URI').to.equal(world.url);
    expect((await post(world, '/revoke', form, api('records'))).status).to.equal(400);
    expect((await introspect(world, String(token), api('records'))).active).to.equal(true);
  });

  it('API4 audience stands for resource where a client cannot send that', async () => {
    const audience = { audience: RECORDS };
    expect((await onItsOwn(world, 'app', { ...audience, scope: 'read' })).reply.body.scope).to.equal('read');
    for (const flow of [byCode, byDevice]) {
      const { reply } = await flow(world, 'app', { ...audience, scope: 'openid read' });
      expect(decodeJwt(String(reply.body.access_token)), flow.name).to.include({
        aud: RECORDS,
        scope: 'read',
      });
      const later = await byRefresh(world, 'app', reply.body);
      expect(decodeJwt(String(later.reply.body.access_token))).to.include({ aud: RECORDS });
      const third = await byRefresh(world, 'app', later.reply.body);
      expect(decodeJwt(String(third.reply.body.access_token))).to.include({ aud: RECORDS });
    }
    const request = { client_id: 'app', ...audience, scope: 'openid read' };
    const form = Object.fromEntries(new URLSearchParams(authorizePath(request).split('?')[1]));
    const { request_uri: uri } = (await post(world, '/par', form, secretOf('app'))).body;
    const path = `/authorize?client_id=app&request_uri=${encodeURIComponent(String(uri))}`;
    const page = await new Browser(world, 'nora').open(path);
    const code = String(page.url.searchParams.get('code'));
    const { access_token: pushed } = (await redeem(world, code, {}, secretOf('app'))).body;
    expect(decodeJwt(String(pushed))).to.include({ aud: RECORDS });
    const late = await byCode(world, 'app', { resource: RECORDS, scope: 'openid read' }, { form: audience });
    expect(decodeJwt(String(late.reply.body.access_token))).to.include({ aud: RECORDS });
  });

  it('API4 audience and resource name the same API, or the request is refused', async () => {
    const same = { audience: RECORDS, resource: RECORDS, scope: 'read' };
    const different = { ...same, audience: BILLING };
    expect((await onItsOwn(world, 'app', same)).reply.body.scope).to.equal('read');
    expect((await byCode(world, 'app', same)).reply.body.scope).to.equal('read');
    for (const flow of [onItsOwn, byCode, byDevice]) {
      const { reply, signedIn } = await flow(world, 'app', different);
      expect([reply.body.error, signedIn], flow.name).to.deep.equal(['invalid_request', false]);
    }
    for (const doubled of [
      `audience=${RECORDS}&audience=${BILLING}`,
      `audience=${RECORDS}&audience=${RECORDS}`,
    ]) {
      const reply = await post(world, '/token', `grant_type=client_credentials&${doubled}`, secretOf('app'));
      expect(reply.body.error, doubled).to.equal('invalid_request');
    }
    expect((await onItsOwn(world, 'stranger', { audience: RECORDS })).reply.body.error).to.equal(
      'invalid_target',
    );
  });

  it('API4 a default API is meant by requests that name none and ask for its scopes', async () => {
    const own = await onItsOwn(world, 'defaulted', { scope: 'read' });
    expect(decodeJwt(String(own.reply.body.access_token))).to.include({ aud: RECORDS, scope: 'read' });
    const signIn = await byCode(world, 'defaulted', { scope: 'openid read' });
    expect(decodeJwt(String(signIn.reply.body.access_token))).to.include({ aud: RECORDS });
    const refreshed = await byRefresh(world, 'defaulted', signIn.reply.body);
    expect(decodeJwt(String(refreshed.reply.body.access_token))).to.include({ aud: RECORDS });
    const only = await byCode(world, 'defaulted', { scope: 'openid profile' });
    expect((await userinfo(world, String(only.reply.body.access_token))).status, 'a sign-in only').to.equal(
      200,
    );
    const named = await onItsOwn(world, 'defaulted', { resource: BILLING, scope: 'pay' });
    expect(named.reply.body.scope, 'an API that is named').to.equal('pay');
    const refused = await byCode(world, 'defaulted', { scope: 'openid secret' });
    expect([refused.reply.body.error, refused.signedIn]).to.deep.equal(['invalid_scope', false]);
    const ungranted = await byCode(world, 'other-default', { scope: 'openid sign' });
    expect((await userinfo(world, String(ungranted.reply.body.access_token))).status, 'not granted').to.equal(
      200,
    );
  });

  it('API4 an organization has a default API for its clients, where they were granted it', async () => {
    await world.stores.organizations.put({
      ...{ id: 'west', name: 'West', hosts: [], vendor: {}, defaultApi: RECORDS },
    });
    const machine = { grant_types: ['client_credentials'], response_types: [], redirect_uris: [] };
    for (const [clientId, apis] of Object.entries({
      'west-app': { [RECORDS]: ['read'] },
      'west-other': {},
    })) {
      const metadata = { ...machine, apis };
      await world.putClient({ clientId, secret: `${clientId}-secret`, organization: 'west', metadata });
    }
    const { reply } = await onItsOwn(world, 'west-app', { scope: 'read' });
    expect(decodeJwt(String(reply.body.access_token))).to.include({ aud: RECORDS, scope: 'read' });
    const other = await onItsOwn(world, 'west-other', {});
    expect(String(other.reply.body.access_token ?? '')).not.to.contain('.');
  });

  it('API5 a scope with roles goes to people who have one of them, at each issue of a token', async () => {
    const request = { resource: RECORDS, scope: 'openid read purge' };
    const form = { resource: RECORDS };
    const admin = await world.stores.accounts.byId('otto');
    if (!admin) throw new Error('There is no Otto.');
    await world.stores.accounts.update({ ...admin, roles: ['nurse', 'admin'] });
    for (const flow of [byCode, byDevice]) {
      const nurse = await flow(world, 'app', request, { form });
      expect(nurse.reply.body.scope, flow.name).to.equal('read');
      const allowed = await flow(world, 'app', request, { form, person: 'otto' });
      expect(allowed.reply.body.scope, flow.name).to.equal('read purge');
    }
    const held = (await byCode(world, 'app', request, { form, person: 'otto' })).reply.body;
    const code = await new Browser(world, 'otto').open(authorizePath({ client_id: 'app', ...request }));
    const before = await world.stores.accounts.byId('otto');
    if (!before) throw new Error('There is no Otto.');
    await world.stores.accounts.update({ ...before, roles: ['nurse'] });
    expect((await byRefresh(world, 'app', held, form)).reply.body.scope).to.equal('read');
    const late = await redeem(world, String(code.url.searchParams.get('code')), form, secretOf('app'));
    expect(late.body.scope).to.equal('read');
    const machine = await onItsOwn(world, 'app', { resource: RECORDS, scope: 'purge' });
    expect(machine.reply.body.error, 'no person, no role').to.equal('invalid_scope');
  });

  it('API5 a consent page names no scope that the person may not have', async () => {
    const metadata = { grant_types: ALL_GRANTS, apis: GRANTED };
    await world.putClient({ clientId: 'asking', secret: 'asking-secret', metadata });
    const browser = new Browser(world, 'nora');
    browser.consent = undefined;
    const path = authorizePath({ client_id: 'asking', resource: RECORDS, scope: 'openid read purge' });
    const view = JSON.parse((await browser.open(path)).text) as { missingScopes: string[] };
    expect(view.missingScopes).to.deep.equal(['openid', 'read']);
  });

  it('API6 a JWT says what RFC 9068 asks for, and introspection of both forms says the same', async () => {
    for (const [resource, scope, id] of [
      [RECORDS, 'openid read', 'records'],
      [BILLING, 'openid pay', 'billing'],
    ] as const) {
      const form = { resource };
      const { reply } = await byCode(world, 'app', { resource, scope }, { form });
      const token = String(reply.body.access_token);
      const told = await introspect(world, token, api(id));
      expect(told).to.deep.include({
        ...{ active: true, sub: 'nora', client_id: 'app', aud: resource, iss: world.issuer },
        ...{ scope: scope.slice(7), roles: ['nurse'], organization: 'north', acr: 'urn:portico:acr:single' },
        ...{ amr: ['pwd'], token_type: 'Bearer' },
      });
      expect(told.auth_time).to.be.closeTo(Date.now() / 1000, 60);
      if (id === 'billing') continue;
      const { payload, protectedHeader } = await verified(token, RECORDS);
      expect(protectedHeader).to.include({ alg: 'ES256', typ: 'at+jwt' });
      const { active: _active, token_type: _type, ...same } = told;
      expect(payload).to.deep.equal(same);
      expect(payload).to.include({ mail: 'nora@north.test' }).and.not.to.have.any.keys('birth', 'email');
      const later = await byRefresh(world, 'app', reply.body, form);
      const again = decodeJwt(String(later.reply.body.access_token));
      expect(again).to.deep.include({ acr: payload.acr, amr: payload.amr, auth_time: payload.auth_time });
    }
    const { reply } = await onItsOwn(world, 'app', { resource: 'https://rsa.test', scope: 'sign' });
    expect(decodeProtectedHeader(String(reply.body.access_token)).alg).to.equal('RS256');
    const { payload } = await verified(reply.body.access_token, 'https://rsa.test');
    expect(payload).to.include({ sub: 'app', client_id: 'app', organization: 'north' });
    expect(payload).not.to.have.any.keys('roles', 'acr', 'amr', 'auth_time');
    const plain = (await byCode(world, 'app', { scope: 'openid' })).reply.body.access_token;
    expect(await introspect(world, String(plain), secretOf('app')), 'for userinfo').not.to.have.any.keys(
      'roles',
    );
  });
});
