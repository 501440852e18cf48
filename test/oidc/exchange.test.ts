/** Token exchange (RFC 8693): who gets what for which token. */
import { expect } from 'chai';
import { decodeJwt } from 'jose';
import type { ClientRecord } from '../../src/model/client.ts';
import type { Json } from '../../src/model/json.ts';
import { secretOf } from './api-flows.ts';
import {
  ACCESS_TOKEN,
  BILLING,
  exchange,
  openExchangeWorld,
  RECORDS,
  signedIn,
  signedInAtDialect,
} from './exchange-support.ts';
import { basic, introspect, refresh, userinfo, type World } from './support.ts';

describe('token exchange', () => {
  let world: World;
  before(async () => {
    world = await openExchangeWorld();
  });
  after(() => world.close());

  const api = (id: string) => basic(id, `secret-of-${id}`);

  it('TX1 the backend of an API gets a token for another API, for the same person, with no scope more', async () => {
    const { access } = await signedIn(world);
    const reply = await exchange(world, 'backend', { subject_token: access, resource: BILLING });
    expect(reply.status, JSON.stringify(reply.body)).to.equal(200);
    expect(reply.body).to.include({
      issued_token_type: ACCESS_TOKEN,
      token_type: 'Bearer',
      scope: 'read write',
      expires_in: 120,
    });
    const [before, after] = [decodeJwt(access), decodeJwt(String(reply.body.access_token))];
    expect(after).to.include({ aud: BILLING, sub: 'nora', client_id: 'backend', acr: before.acr });
    expect(after.amr).to.deep.equal(before.amr);
    expect(after.auth_time).to.equal(before.auth_time);
    expect(await introspect(world, String(reply.body.access_token), api('billing'))).to.include({
      ...{ active: true, client_id: 'backend', sub: 'nora', scope: 'read write' },
    });
  });

  it('TX1 takes and gives JWTs by that name, and no exchanged token is for userinfo', async () => {
    const jwt = 'urn:ietf:params:oauth:token-type:jwt';
    const form = { subject_token_type: jwt, requested_token_type: jwt, audience: BILLING };
    const { access } = await signedIn(world);
    const { body } = await exchange(world, 'backend', { subject_token: access, ...form });
    expect(body).to.include({ issued_token_type: jwt, scope: 'read write' });
    expect((await userinfo(world, String(body.access_token))).status).to.equal(401);
    const told = world.audit.filter(({ event }) => event === 'token.exchange').at(-1);
    expect(told?.detail).to.deep.equal({ from: 'app', of: 'api', target: BILLING });
    expect(JSON.stringify(world.audit)).to.not.include(access).and.not.include(body.access_token);
  });

  it('TX2 a new module gets a token of its own for a dialect’s, marked as of a legacy sign-in', async () => {
    for (const value of ['jwt', `opaque-${crypto.randomUUID()}`]) {
      const old = await signedInAtDialect(world, { value, lifetime: 60 });
      const reply = await exchange(world, 'module', { subject_token: old.access.value });
      expect(reply.status, JSON.stringify(reply.body)).to.equal(200);
      expect(reply.body.scope).to.equal('read');
      expect(reply.body.expires_in).to.be.within(50, 60);
      expect(decodeJwt(String(reply.body.access_token))).to.deep.include({
        ...{ aud: RECORDS, sub: 'nora', acr: 'urn:portico:acr:legacy', amr: ['pwd', 'otp'] },
      });
      expect(reply.body).to.not.have.any.keys('refresh_token', 'id_token');
    }
  });

  it('TX3 a client with exchanges_offline gets a refresh token where it asks for one', async () => {
    const old = await signedInAtDialect(world);
    const form = { subject_token: old.access.value, resource: RECORDS };
    const without = await exchange(world, 'offline', form);
    expect(without.body).to.not.have.property('refresh_token');
    const reply = await exchange(world, 'offline', { ...form, scope: 'read offline_access' });
    expect(reply.status, JSON.stringify(reply.body)).to.equal(200);
    const next = await refresh(world, String(reply.body.refresh_token), {}, secretOf('offline'));
    expect(next.status, JSON.stringify(next.body)).to.equal(200);
    expect(decodeJwt(String(next.body.access_token))).to.deep.include({
      ...{ aud: RECORDS, scope: 'read', acr: 'urn:portico:acr:legacy', amr: ['pwd', 'otp'] },
    });
  });

  it('TX4 what is exchanged ends with the sign-in that it stems from', async () => {
    const old = await signedInAtDialect(world);
    const reply = await exchange(world, 'module', { subject_token: old.access.value });
    const token = String(reply.body.access_token);
    expect(await introspect(world, token, api('records'))).to.include({ active: true });
    await world.oidc.grants.endGrant(old.grantId);
    expect(await introspect(world, token, api('records'))).to.deep.equal({ active: false });
  });

  it('TX10 the judge of clients says what no exchange could use', async () => {
    const stored = await world.stores.clients.byId('module');
    if (!stored) throw new Error('The module is gone.');
    const issuesOf = async (metadata: Record<string, Json>, client: ClientRecord = stored) => {
      const judged = { ...client, metadata: { ...stored.metadata, ...metadata } };
      return (await world.oidc.judgeClient(judged)).map(({ path }) => path);
    };
    expect(await issuesOf({})).to.deep.equal([]);
    expect(await issuesOf({ exchanges: [] })).to.deep.equal(['exchanges']);
    expect(await issuesOf({ exchanges: [], exchanges_to: ['visits'] })).to.deep.equal([]);
    expect(await issuesOf({ grant_types: ['client_credentials'] })).to.deep.equal(['grant_types']);
    expect(await issuesOf({ exchanges_offline: true })).to.deep.equal(['grant_types']);
    const bound = { exchanges_to: ['visits'], dpop_bound_access_tokens: true };
    expect(await issuesOf(bound)).to.deep.equal(['exchanges_to']);
    const { secretHash: _none, ...open } = stored;
    const method = { token_endpoint_auth_method: 'none' };
    expect(await issuesOf(method, open)).to.deep.equal([]);
    expect(await issuesOf(method, { ...open, firstParty: false })).to.deep.equal(['grant_types']);
  });
});
