/** What a client may ask for by scope, and what it is told when it asks for nothing, or for what there is not. */
import { expect } from 'chai';
import { decodeJwt } from 'jose';
import {
  API,
  authorizePath,
  Browser,
  basic,
  introspect,
  openWorld,
  type Page,
  post,
  redeem,
  refresh,
  tokensFor,
  userinfo,
  WEB,
  type World,
} from './support.ts';

const CODE = ['authorization_code', 'refresh_token'];
const DEVICE = 'urn:ietf:params:oauth:grant-type:device_code';

describe('scopes', () => {
  let world: World;
  before(async () => {
    world = await openWorld();
    const registered = { grant_types: [...CODE, 'client_credentials', DEVICE], scope: 'openid email roles' };
    const traits = { firstParty: true };
    await world.putClient({ clientId: 'some', secret: 'some-secret', traits, metadata: registered });
    await world.putClient({
      ...{ clientId: 'usual', secret: 'usual-secret', traits },
      metadata: { ...registered, default_scope: 'openid email' },
    });
  });
  after(() => world.close());

  const SOME = basic('some', 'some-secret');
  const USUAL = basic('usual', 'usual-secret');

  /** A person who is not signed in, and must not sign in for a scope that the client asks for in vain. */
  const asked = (changes: Record<string, string | undefined>): Promise<Page> =>
    new Browser(world).open(authorizePath(changes));
  const errorOf = ({ url }: Page) => url.searchParams.get('error');
  const machine = (form: Record<string, string>, headers = SOME) =>
    post(world, '/token', { grant_type: 'client_credentials', ...form }, headers);
  const pushed = (changes: Record<string, string | undefined>, headers = SOME) =>
    post(world, '/par', authorizePath(changes).split('?')[1] ?? '', headers);
  const device = (form: Record<string, string>, headers = SOME) =>
    post(
      world,
      '/device_authorization',
      { client_id: headers === SOME ? 'some' : 'usual', ...form },
      headers,
    );

  it('CL7 a client that acts for itself gets no scope that is unknown, or that it did not register', async () => {
    for (const scope of ['admin', 'openid admin', 'records:read', 'phone', 'profile email']) {
      const { status, body } = await machine({ scope });
      expect([status, body.error], scope).to.deep.equal([400, 'invalid_scope']);
    }
    const known = await machine({ scope: 'roles email' });
    expect(known.body.scope).to.equal('roles email');
    expect((await introspect(world, String(known.body.access_token), SOME)).scope).to.equal('roles email');
  });

  it('CL7 an unknown scope of an API is refused where the client acts for itself', async () => {
    const headers = basic('machine', 'machine-secret');
    const ask = (scope: string) => machine({ scope, resource: API }, headers);
    expect((await ask('records:read admin')).body.error).to.equal('invalid_scope');
    expect(decodeJwt(String((await ask(' records:read  ')).body.access_token)).scope).to.equal(
      'records:read',
    );
  });

  it('CL7 surplus blanks are no error, wherever a scope is asked for', async () => {
    const headers = SOME;
    const scope = '  openid   email ';
    const request = { client_id: 'some', scope };
    const tokens = await tokensFor(world, { browser: new Browser(world, 'nora'), request, headers });
    const { body: person } = await userinfo(world, tokens.access_token);
    expect(person).to.have.all.keys('sub', 'email', 'email_verified');
    const less = await refresh(world, tokens.refresh_token, { scope: ' openid ' }, headers);
    expect(less.body.scope).to.equal('openid');
    expect((await machine({ scope: ' roles  email ' })).body.scope).to.equal('roles email');
    const { body } = await pushed({ client_id: 'some', scope });
    const uri = { client_id: 'some', request_uri: String(body.request_uri), scope: undefined };
    const page = await new Browser(world, 'nora').open(authorizePath(uri));
    const code = String(page.url.searchParams.get('code'));
    expect((await redeem(world, code, {}, headers)).body.scope).to.equal('openid email');
    expect((await device({ scope })).status).to.equal(200);
  });

  it('CL7 a sign-in without scope, or with none that is known, is refused before anybody signs in', async () => {
    for (const scope of [undefined, '', '   ', 'admin', 'admin power', 'offline_access', 'records:read']) {
      const changes = { client_id: 'some', scope };
      expect(errorOf(await asked(changes)), `/authorize ${scope}`).to.equal('invalid_scope');
      expect((await pushed(changes)).body.error, `/par ${scope}`).to.equal('invalid_scope');
      const form = scope === undefined ? {} : { scope };
      expect((await device(form)).body.error, `/device_authorization ${scope}`).to.equal('invalid_scope');
    }
    for (const scope of ['openid phone', 'profile']) {
      const changes = { client_id: 'some', scope };
      expect(errorOf(await asked(changes)), scope).to.equal('invalid_scope');
      expect((await pushed(changes)).body.error, scope).to.equal('invalid_scope');
      expect((await device({ scope })).body.error, scope).to.equal('invalid_scope');
    }
  });

  it('CL7 an unknown scope beside a known one is passed over, as OpenID Connect says', async () => {
    const request = { client_id: 'some', scope: 'openid admin' };
    const browser = new Browser(world, 'nora');
    const tokens = await tokensFor(world, { browser, request, headers: SOME });
    expect((await introspect(world, tokens.access_token, SOME)).scope).to.equal('openid');
    const api = { scope: 'records:read', resource: API };
    expect(errorOf(await asked(api)), 'for an API alone').to.equal(null);
  });

  it('CL7 no scope is the client’s default', async () => {
    const headers = USUAL;
    const request = { client_id: 'usual', scope: ' ' };
    const tokens = await tokensFor(world, { browser: new Browser(world, 'nora'), request, headers });
    expect((await introspect(world, tokens.access_token, USUAL)).scope).to.equal('openid email');
    expect(tokens.id_token).to.be.a('string');
    const { body } = await pushed({ client_id: 'usual', scope: undefined }, headers);
    const uri = { client_id: 'usual', request_uri: String(body.request_uri), scope: undefined };
    const page = await new Browser(world, 'nora').open(authorizePath(uri));
    const code = String(page.url.searchParams.get('code'));
    expect((await redeem(world, code, {}, headers)).body.scope).to.equal('openid email');
    expect((await device({}, headers)).status).to.equal(200);
    expect((await machine({}, headers)).body.scope).to.equal('openid email');
    // A refresh without scope asks for what was granted.
    const less = { client_id: 'usual', scope: 'openid' };
    const narrow = await tokensFor(world, { browser: new Browser(world, 'otto'), request: less, headers });
    expect((await refresh(world, narrow.refresh_token, {}, headers)).body.scope).to.equal('openid');
  });

  it('CL7 a client that acts for itself without scope or default gets a token that says who it is alone', async () => {
    const { status, body } = await machine({});
    expect([status, body.scope]).to.deep.equal([200, undefined]);
    const told = await introspect(world, String(body.access_token), SOME);
    expect(told).to.include({ active: true, client_id: 'some' }).and.not.have.property('scope');
    expect((await machine({}, WEB)).body.error, 'the grant is not theirs').to.not.equal(undefined);
  });
});
