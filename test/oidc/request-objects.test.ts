/** Request objects (RFC 9101): which are taken, at /authorize and at /par, and what they may hold. */
import { createHmac } from 'node:crypto';
import http from 'node:http';
import type { AddressInfo } from 'node:net';
import { expect } from 'chai';
import { exportJWK, generateKeyPair, type JWTHeaderParameters, SignJWT, UnsecuredJWT } from 'jose';
import { requestBounds } from '../../src/oidc/provider/routes.ts';
import {
  API,
  authorizePath,
  Browser,
  basic,
  CHALLENGE,
  getJson,
  introspect,
  openWorld,
  type Page,
  post,
  REDIRECT,
  redeem,
  type World,
} from './support.ts';

type Claims = Record<string, unknown>;
type Key = Parameters<SignJWT['sign']>[0];
type Pair = Awaited<ReturnType<typeof generateKeyPair>>;

describe('request objects', () => {
  let world: World;
  const pairs: Record<string, Pair> = {};
  before(async () => {
    world = await openWorld();
    for (const alg of ['ES256', 'RS256', 'PS256', 'EdDSA', 'ES384']) {
      pairs[alg] = await generateKeyPair(alg, { extractable: true });
    }
    const jwks = { keys: await Promise.all(Object.keys(pairs).map(published)) };
    const foreign = await generateKeyPair('ES256', { extractable: true });
    pairs.foreign = foreign;
    for (const [clientId, metadata] of Object.entries({
      signs: { jwks },
      one: { jwks, request_object_signing_alg: 'ES256' },
      must: { jwks, require_signed_request_object: true },
      neighbour: { jwks: { keys: [{ ...(await exportJWK(foreign.publicKey)), kid: 'ES256' }] } },
    })) {
      await world.putClient({
        ...{ clientId, secret: `${clientId}-secret`, traits: { firstParty: true } },
        metadata: JSON.parse(JSON.stringify({ ...metadata, default_scope: 'openid' })),
      });
    }
  });
  after(() => world.close());

  const pairOf = (name: string) => {
    const pair = pairs[name];
    if (pair === undefined) throw new Error(name);
    return pair;
  };
  const published = async (alg: string) => ({ ...(await exportJWK(pairOf(alg).publicKey)), kid: alg });
  const seconds = (more = 0) => Math.floor(Date.now() / 1000) + more;

  /** What stands in a good one; a member that is undefined is left out. */
  const claimsOf = (clientId: string, changes: Claims = {}): Claims =>
    JSON.parse(
      JSON.stringify({
        ...{ iss: clientId, aud: world.issuer, client_id: clientId, exp: seconds(60), iat: seconds() },
        ...{ redirect_uri: REDIRECT, response_type: 'code', scope: 'openid', state: 'inside', nonce: 'n' },
        ...{ code_challenge: CHALLENGE, code_challenge_method: 'S256', ...changes },
      }),
    );

  function signed(
    clientId: string,
    changes: Claims = {},
    { alg = 'ES256', key, ...header }: Partial<JWTHeaderParameters> & { key?: Key } = {},
  ): Promise<string> {
    const protectedHeader = { alg, kid: alg, ...header };
    return new SignJWT(claimsOf(clientId, changes))
      .setProtectedHeader(protectedHeader)
      .sign(key ?? pairOf(alg).privateKey, { crit: { x: true } });
  }

  const open = (query: Record<string, string>, browser = new Browser(world, 'nora')) =>
    browser.open(`/authorize?${new URLSearchParams(query)}`);
  const byValue = (request: string, clientId = 'signs', more: Record<string, string> = {}) =>
    open({ client_id: clientId, request, ...more });
  const push = (form: Record<string, string>, clientId = 'signs') =>
    post(world, '/par', { client_id: clientId, ...form }, basic(clientId, `${clientId}-secret`));

  /** Redirected with an error, or a page that names it. */
  const errorIn = ({ url, text }: Page) =>
    url.searchParams.get('error') ?? /<p>(\w+)</.exec(text)?.[1] ?? 'none';

  it('PR4 carry the whole request, by every algorithm that the metadata name, by value and pushed', async () => {
    const metadata = await getJson(world, '/.well-known/openid-configuration');
    expect(metadata).to.include({
      request_parameter_supported: true,
      request_uri_parameter_supported: false,
    });
    expect(metadata).not.to.have.property('request_object_encryption_alg_values_supported');
    const algorithms = ['ES256', 'RS256', 'PS256', 'EdDSA'];
    expect(metadata.request_object_signing_alg_values_supported).to.have.members(algorithms);
    for (const alg of algorithms) {
      for (const typ of [undefined, 'JWT', 'oauth-authz-req+jwt']) {
        const header = typ === undefined ? { alg } : { alg, typ };
        const page = await byValue(await signed('signs', {}, header));
        expect(page.url.searchParams.get('state'), alg).to.equal('inside');
        const code = String(page.url.searchParams.get('code'));
        expect((await redeem(world, code, {}, basic('signs', 'signs-secret'))).status).to.equal(200);
      }
      const pushed = await push({ request: await signed('signs', {}, { alg }) });
      expect(pushed.status, JSON.stringify(pushed.body)).to.equal(201);
      const page = await open({ client_id: 'signs', request_uri: String(pushed.body.request_uri) });
      expect(page.url.searchParams.get('state')).to.equal('inside');
    }
  });

  it('PR4 what stands beside a request object counts for nothing', async () => {
    const beside = { state: 'outside', scope: 'openid email', nonce: 'outside', redirect_uri: REDIRECT };
    const page = await byValue(await signed('signs'), 'signs', beside);
    expect(page.url.searchParams.get('state')).to.equal('inside');
    const code = String(page.url.searchParams.get('code'));
    const { body } = await redeem(world, code, {}, basic('signs', 'signs-secret'));
    expect(body.scope).to.equal('openid');
    // A redirect URI beside it that is not registered still gets a page, and no redirect.
    for (const redirect of ['https://evil.test/', `${REDIRECT}/x`]) {
      const request = await signed('signs', { redirect_uri: redirect });
      for (const response_mode of ['query', 'form_post', 'jwt', 'query.jwt', 'form_post.jwt']) {
        const inside = await byValue(await signed('signs', { redirect_uri: redirect, response_mode }));
        expect([inside.status, errorIn(inside)]).to.deep.equal([400, 'invalid_redirect_uri']);
        expect(inside.text).not.to.contain('evil.test');
      }
      expect((await push({ request })).body.error).to.equal('invalid_request');
    }
    const forged = await signed(
      'signs',
      { response_mode: 'form_post.jwt' },
      { key: pairOf('foreign').privateKey },
    );
    const page2 = await byValue(forged, 'signs', { redirect_uri: 'https://evil.test/' });
    expect(page2.status).to.equal(400);
    expect(page2.text).not.to.contain('evil.test');
  });

  it('PR4 a client that must sign its requests cannot leave it, by value or pushed', async () => {
    const [, query = ''] = authorizePath({ client_id: 'must' }).split('?');
    const plain = Object.fromEntries(new URLSearchParams(query));
    expect(errorIn(await open(plain))).to.equal('invalid_request');
    expect((await push(plain, 'must')).body.error).to.equal('invalid_request');
    expect((await byValue(await signed('must'), 'must')).url.searchParams.get('code')).to.be.a('string');
    const { body } = await push({ request: await signed('must') }, 'must');
    const page = await open({ client_id: 'must', request_uri: String(body.request_uri) });
    expect(page.url.searchParams.get('code')).to.be.a('string');
    // Nor by the object of a request_uri that another client pushed.
    const foreign = await push({ request: await signed('signs') });
    const stolen = await open({ client_id: 'must', request_uri: String(foreign.body.request_uri) });
    expect(stolen.url.searchParams.get('code')).to.equal(null);
  });

  it('PR4 refuses every object that is forged, old, for another server, or of another kind', async () => {
    const hits: string[] = [];
    const listener = http.createServer((request, response) => {
      hits.push(String(request.url));
      response.end('{}');
    });
    await new Promise<void>((resolve) => listener.listen(0, '127.0.0.1', resolve));
    const at = `http://127.0.0.1:${(listener.address() as AddressInfo).port}`;
    const jwk = await published('foreign');
    const foreign = pairOf('foreign').privateKey;
    const [spki] = [JSON.stringify((await published('ES256')).x)];
    const hs = [{ alg: 'HS256' }, claimsOf('signs')]
      .map((part) => Buffer.from(JSON.stringify(part)).toString('base64url'))
      .join('.');
    const good = await signed('signs');
    const [head = '', payload = '', signature = ''] = good.split('.');
    const other = Buffer.from(JSON.stringify(claimsOf('signs', { scope: 'openid email' }))).toString(
      'base64url',
    );

    const invalid: Record<string, string> = {
      none: new UnsecuredJWT(claimsOf('signs')).encode(),
      'none, spelled': `${Buffer.from('{"alg":"nOnE"}').toString('base64url')}.${payload}.`,
      'HMAC under the public key': `${hs}.${createHmac('sha256', spki ?? '')
        .update(hs)
        .digest('base64url')}`,
      'HMAC under the secret': `${hs}.${createHmac('sha256', 'signs-secret').update(hs).digest('base64url')}`,
      'an algorithm that is not offered': await signed('signs', {}, { alg: 'ES384' }),
      'no signature': `${head}.${payload}.`,
      'another payload': `${head}.${other}.${signature}`,
      "another client's key": await signed('signs', {}, { key: foreign }),
      'a key of its own': await signed('signs', {}, { key: foreign, jwk }),
      'a key elsewhere': await signed('signs', {}, { key: foreign, jku: `${at}/jwks`, x5u: `${at}/x5u` }),
      'a key id with a path': await signed('signs', {}, { key: foreign, kid: '../../dev/null' }),
      'a key id of another key': await signed('signs', {}, { kid: 'RS256' }),
      'another audience': await signed('signs', { aud: 'https://elsewhere.test' }),
      'its own audience': await signed('signs', { aud: 'signs' }),
      'no audience': await signed('signs', { aud: undefined }),
      'another issuer': await signed('signs', { iss: 'one' }),
      'no issuer': await signed('signs', { iss: undefined }),
      'another client inside': await signed('signs', { client_id: 'one' }),
      ended: await signed('signs', { exp: seconds(-60) }),
      'ended just now': await signed('signs', { exp: seconds(-2) }),
      'not yet': await signed('signs', { nbf: seconds(600) }),
      'an end that is text': await signed('signs', { exp: 'soon' }),
      'a request inside': await signed('signs', { request: good }),
      'a request_uri inside': await signed('signs', { request_uri: 'urn:ietf:params:oauth:request_uri:x' }),
      'another kind of JWT': await signed('signs', {}, { typ: 'at+jwt' }),
      'a client assertion': await signed('signs', { sub: 'signs', jti: 'j' }),
      'a critical header that is not known': await signed('signs', {}, { crit: ['x'], x: 1 }),
      'an encrypted one': 'a.b.c.d.e',
      'no JWT': 'nonsense',
      'a list': `${head}.${Buffer.from('[]').toString('base64url')}.${signature}`,
    };
    const told: Record<string, unknown> = {};
    for (const [name, request] of Object.entries(invalid)) {
      const page = await byValue(request, 'signs', { redirect_uri: REDIRECT });
      const pushed = await push({ request });
      told[name] = [errorIn(page), page.url.searchParams.get('code'), pushed.status, pushed.body.error];
    }
    const refused = ['invalid_request_object', null, 400, 'invalid_request_object'];
    expect(told).to.deep.equal(Object.fromEntries(Object.keys(invalid).map((name) => [name, refused])));
    expect(hits, 'nothing is fetched').to.deep.equal([]);
    listener.close();

    // The algorithm that the client has registered, and no other.
    expect(errorIn(await byValue(await signed('one', {}, { alg: 'RS256' }), 'one'))).to.equal(
      'invalid_request_object',
    );
    expect((await byValue(await signed('one'), 'one')).url.searchParams.get('code')).to.be.a('string');
  });

  it('PR4 refuses both ways at once, a parameter twice, and an address elsewhere', async () => {
    const request = await signed('signs');
    const uri = String((await push({ request })).body.request_uri);
    const beside = { redirect_uri: REDIRECT };
    expect(errorIn(await byValue(request, 'signs', { request_uri: uri, ...beside }))).to.equal(
      'invalid_request',
    );
    expect((await push({ request, request_uri: uri })).body.error).to.equal('request_uri_not_supported');
    const elsewhere = { client_id: 'signs', request_uri: 'https://app.test/object', ...beside };
    expect(errorIn(await open(elsewhere))).to.equal('request_uri_not_supported');
    const twice = `/authorize?${new URLSearchParams({ client_id: 'signs', request })}&request=${request}`;
    expect((await new Browser(world, 'nora').open(twice)).status).to.equal(400);
    for (const [name, value] of Object.entries({
      state: ['a', 'b'],
      scope: ['openid'],
      redirect_uri: [REDIRECT],
    })) {
      const page = await byValue(await signed('signs', { [name]: value }), 'signs', beside);
      expect(errorIn(page), name).to.equal('invalid_request');
    }
    const resource = [API, 'https://api.test/billing'];
    const scope = 'openid records:read billing:read';
    const page = await byValue(await signed('signs', { resource, scope }));
    expect(page.url.searchParams.get('code'), 'resource is a list').to.be.a('string');
  });

  it('PR4 of a client without keys are not supported, wherever they come from', async () => {
    for (const request of [await signed('web'), new UnsecuredJWT(claimsOf('web')).encode()]) {
      const page = await byValue(request, 'web', { redirect_uri: REDIRECT, response_type: 'code' });
      expect([errorIn(page), page.url.searchParams.get('state')]).to.deep.equal([
        'request_not_supported',
        'inside',
      ]);
      const { status, body } = await push({ request }, 'web');
      expect([status, body.error]).to.deep.equal([400, 'request_not_supported']);
      expect(body.error_description).to.contain('has registered its keys');
    }
    await world.putClient({
      ...{ clientId: 'tv', secret: 'tv-secret' },
      metadata: JSON.parse(
        JSON.stringify({
          ...{ grant_types: ['urn:ietf:params:oauth:grant-type:device_code'], response_types: [] },
          ...{ redirect_uris: [], jwks: { keys: [await published('ES256')] } },
        }),
      ),
    });
    const device = { client_id: 'tv', request: await signed('tv', { response_type: undefined }) };
    const { body } = await post(world, '/device_authorization', device, basic('tv', 'tv-secret'));
    expect(body.error).to.equal('request_not_supported');
  });

  it('B4 H3 PR4 hold no more than plain parameters may', async () => {
    const { parameters = {} } = requestBounds('/authorize') ?? {};
    for (const [name, most] of Object.entries(parameters)) {
      for (const value of ['x'.repeat(most + 1), 'é'.repeat(most / 2 + 1)]) {
        const request = await signed('signs', { [name]: value });
        const page = await byValue(request, 'signs', { redirect_uri: REDIRECT });
        expect(errorIn(page), name).to.equal('invalid_request_object');
        expect((await push({ request })).body.error, name).to.equal('invalid_request_object');
      }
      if (name === 'scope') continue;
      const full = await byValue(await signed('signs', { [name]: 'x'.repeat(most) }));
      expect(full.url.searchParams.get('code'), name).to.be.a('string');
    }
    for (const depth of [40, 1_400, 2_800]) {
      const claims = { userinfo: { name: JSON.parse('['.repeat(depth) + ']'.repeat(depth)) } };
      const request = await signed('signs', { claims });
      const page = await byValue(request, 'signs', { redirect_uri: REDIRECT });
      expect(errorIn(page), String(depth)).to.equal('invalid_request');
      expect((await push({ request })).status, String(depth)).to.be.oneOf([400, 413]);
    }
    const odd = { state: { a: 1 }, scope: 7, max_age: -1, prompt: true, claims: 'x', nonce: null };
    for (const [name, value] of Object.entries(odd)) {
      const page = await byValue(await signed('signs', { [name]: value }), 'signs', {
        redirect_uri: REDIRECT,
      });
      expect(page.status, name).to.be.lessThan(500);
    }
  });

  it('PR4 bind code, nonce and API as plain parameters do', async () => {
    const page = await byValue(await signed('signs', { scope: 'openid records:read', audience: API }));
    const code = String(page.url.searchParams.get('code'));
    const { body } = await redeem(world, code, {}, basic('signs', 'signs-secret'));
    expect(await introspect(world, String(body.access_token), basic('signs', 'signs-secret'))).to.include({
      active: true,
      aud: API,
    });
    // It is the whole request: no default_scope is added to it.
    const bare = await signed('signs', { scope: undefined, nonce: undefined });
    expect(errorIn(await byValue(bare, 'signs', { redirect_uri: REDIRECT }))).to.equal('invalid_scope');
  });
});
