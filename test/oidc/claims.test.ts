/** What a client is told of its person: in the ID token, at UserInfo, and under which names. */
import { expect } from 'chai';
import { decodeJwt } from 'jose';
import type { Json } from '../../src/model/json.ts';
import { Browser, basic, openWorld, refresh, tokensFor, userinfo, type World } from './support.ts';

const MAPPED = {
  department: 'vendor.medisync.department',
  upn: 'email',
  'https://app.test/teams': 'roles',
  medisync_id: 'aliases.medisync',
  account: 'id',
  login: 'username',
  absent: 'vendor.medisync.nothing',
};

describe('claims', () => {
  let world: World;
  before(async () => {
    world = await openWorld({ oidc: { rolesAliases: ['groups'] } });
    const { accounts } = world.stores;
    const nora = await accounts.byId('nora');
    if (!nora) throw new Error('Nora is not there.');
    await accounts.update({
      ...nora,
      vendor: { medisync: { department: 'Neurology', secret: 'of MediSync' } },
      aliases: { medisync: 'user_4711' },
    });
  });
  after(() => world.close());

  async function client(clientId: string, metadata: Record<string, Json>) {
    const grants = { grant_types: ['authorization_code', 'refresh_token'] };
    const secret = `${clientId}-secret`;
    await world.putClient({
      ...{ clientId, secret, traits: { firstParty: true } },
      metadata: { ...grants, ...metadata },
    });
    const headers = basic(clientId, secret);
    return {
      headers,
      async told(scope: string, request: Record<string, string> = {}) {
        const tokens = await tokensFor(world, {
          browser: new Browser(world, 'nora'),
          request: { client_id: clientId, scope, ...request },
          headers,
        });
        const { body } = await userinfo(world, tokens.access_token);
        return { tokens, idToken: decodeJwt(tokens.id_token), userinfo: body };
      },
    };
  }

  it('CL5 the ID token has those of the granted scopes too, for a client that asks so, also at refresh', async () => {
    const plain = await client('plain', {});
    const { idToken: bare, userinfo: all } = await plain.told('openid profile email roles');
    expect(bare).to.not.have.any.keys('email', 'name', 'roles');
    expect(all).to.include({ email: 'nora@north.test', name: 'nora of the north' });

    const whole = await client('whole', { id_token_claims: true });
    const { idToken, userinfo: same, tokens } = await whole.told('openid profile email roles');
    expect(idToken).to.deep.include(same);
    expect(idToken).to.not.have.any.keys('phone_number', 'organization');
    const { body } = await refresh(world, tokens.refresh_token, {}, whole.headers);
    expect(decodeJwt(String(body.id_token))).to.deep.include(same);
    const less = await refresh(world, String(body.refresh_token), { scope: 'openid email' }, whole.headers);
    const narrowed = decodeJwt(String(less.body.id_token));
    expect(narrowed).to.include({ email: 'nora@north.test' }).and.not.have.any.keys('name', 'roles');
  });

  it('CL5 roles have the further names that the configuration gives them, each of which is a scope', async () => {
    const app = await client('teams', { id_token_claims: true });
    const both = await app.told('openid roles');
    expect(both.userinfo).to.deep.include({ roles: ['nurse'], groups: ['nurse'] });
    expect(both.idToken).to.deep.include({ roles: ['nurse'], groups: ['nurse'] });
    const one = await app.told('openid groups');
    expect(one.userinfo)
      .to.deep.include({ groups: ['nurse'] })
      .and.not.have.any.keys('roles');
  });

  it('CL5 a table names claims after members: of a scope with that scope, others always', async () => {
    const app = await client('mapped', { claims: MAPPED });
    const always = { department: 'Neurology', medisync_id: 'user_4711', account: 'nora' };
    const little = await app.told('openid');
    for (const place of ['idToken', 'userinfo'] as const) {
      expect(little[place]).to.include(always);
      expect(little[place]).to.not.have.any.keys('upn', 'login', 'https://app.test/teams', 'absent');
    }
    const much = await app.told('openid profile email roles');
    for (const place of ['idToken', 'userinfo'] as const) {
      expect(much[place]).to.deep.include({
        ...always,
        ...{ upn: 'nora@north.test', login: 'nora', 'https://app.test/teams': ['nurse'] },
      });
    }
    expect(much.idToken).to.not.have.any.keys('email', 'roles');
  });

  it('CL5 no table says what the server itself says, however it was stored', async () => {
    const app = await client('liar', {
      claims: {
        ...{ sub: 'email', iss: 'email', aud: 'email', exp: 'email', nonce: 'email', acr: 'email' },
        ...{ email: 'vendor.medisync.department', roles: 'vendor.medisync.department' },
        ...{ good: 'vendor.medisync.department', proto: 'vendor.__proto__.x', all: 'vendor.medisync' },
        hash: 'passwordHash',
      },
    });
    const { idToken, userinfo: told } = await app.told('openid email roles', { nonce: 'n-1' });
    expect(idToken).to.include({ sub: 'nora', iss: world.issuer, aud: 'liar', nonce: 'n-1' });
    expect(idToken.exp).to.be.a('number');
    expect(told).to.deep.equal({
      ...{ sub: 'nora', good: 'Neurology', roles: ['nurse'], groups: ['nurse'] },
      ...{ email: 'nora@north.test', email_verified: true },
    });
  });

  it('CL5 no client gets a mapped claim by asking for it alone, or by the name of another client’s', async () => {
    const app = await client('curious', {});
    const claims = JSON.stringify({ userinfo: { department: null, vendor: null, aliases: null } });
    const { userinfo: told } = await app.told('openid', { claims });
    expect(told).to.deep.equal({ sub: 'nora' });
  });
});
