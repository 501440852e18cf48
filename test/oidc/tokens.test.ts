import { createHash, randomUUID } from 'node:crypto';
import http from 'node:http';
import type { AddressInfo } from 'node:net';
import { expect } from 'chai';
import {
  createLocalJWKSet,
  decodeJwt,
  decodeProtectedHeader,
  exportJWK,
  generateKeyPair,
  type JSONWebKeySet,
  jwtVerify,
  SignJWT,
} from 'jose';
import {
  API,
  authorizePath,
  Browser,
  basic,
  getJson,
  introspect,
  OTHER_API,
  openWorld,
  post,
  RECORDS_API,
  redeem,
  revoke,
  tokensFor,
  userinfo,
  type World,
} from './support.ts';

describe('tokens', () => {
  let world: World;
  let keys: Awaited<ReturnType<typeof generateKeyPair>>;

  before(async () => {
    world = await openWorld();
    keys = await generateKeyPair('ES256', { extractable: true });
    const { kty = '', crv = '', x = '', y = '' } = await exportJWK(keys.publicKey);
    await world.putClient({
      clientId: 'signer',
      metadata: {
        ...{ grant_types: ['client_credentials'], response_types: [], redirect_uris: [] },
        ...{ token_endpoint_auth_method: 'private_key_jwt', jwks: { keys: [{ kty, crv, x, y }] } },
      },
    });
  });
  after(() => world.close());

  const jwks = async () => createLocalJWKSet((await getJson(world, '/jwks')) as unknown as JSONWebKeySet);

  function assertion(header: Record<string, unknown> = {}, claims: Record<string, unknown> = {}) {
    return new SignJWT({
      ...{ iss: 'signer', sub: 'signer', aud: world.issuer, jti: randomUUID() },
      ...{ exp: Math.floor(Date.now() / 1000) + 60, ...claims },
    }).setProtectedHeader({ alg: 'ES256', ...header } as { alg: string });
  }

  const present = (client_assertion: string) =>
    post(world, '/token', {
      ...{ grant_type: 'client_credentials', client_assertion },
      client_assertion_type: 'urn:ietf:params:oauth:client-assertion-type:jwt-bearer',
    });

  function forged(header: object, payload: object, signature = ''): string {
    const part = (value: object) => Buffer.from(JSON.stringify(value)).toString('base64url');
    return `${part(header)}.${part(payload)}.${signature}`;
  }

  it('T1 a client assertion is taken only under a listed algorithm, and once', async () => {
    const good = await assertion().sign(keys.privateKey);
    expect((await present(good)).status).to.equal(200);
    expect((await present(good)).status, 'a second time').to.equal(401);
    const jwk = await exportJWK(keys.publicKey);
    const asSecret = new TextEncoder().encode(JSON.stringify(jwk));
    const claims = decodeJwt(await assertion().sign(keys.privateKey));
    for (const bad of [
      forged({ alg: 'none' }, claims),
      forged({ alg: 'None' }, claims),
      await assertion({ alg: 'HS256' }).sign(asSecret),
      await assertion({}, { aud: 'https://elsewhere.test' }).sign(keys.privateKey),
      await assertion({}, { exp: 1 }).sign(keys.privateKey),
      await assertion().sign((await generateKeyPair('ES256')).privateKey),
    ]) {
      const reply = await present(bad);
      expect(reply.status).to.be.oneOf([400, 401]);
      expect(reply.body).to.not.have.property('access_token');
    }
  });

  it('T1 an id_token_hint under none, or HS256 with the public key, is refused', async () => {
    const { id_token: real } = await tokensFor(world);
    const { keys: published } = (await getJson(world, '/jwks')) as unknown as JSONWebKeySet;
    const { kid } = decodeProtectedHeader(real);
    const key = published.find((one) => one.kid === kid);
    const hints = [
      forged({ alg: 'none' }, decodeJwt(real)),
      await new SignJWT(decodeJwt(real))
        .setProtectedHeader({ alg: 'HS256', kid: String(kid) })
        .sign(new TextEncoder().encode(JSON.stringify(key))),
      `${real.slice(0, -6)}AAAAAA`,
    ];
    for (const id_token_hint of hints) {
      const page = await new Browser(world, 'nora').open(authorizePath({ id_token_hint }));
      expect(page.url.searchParams.get('error')).to.equal('invalid_request');
      const logout = await new Browser(world, 'nora').open(
        `/logout?${new URLSearchParams({ id_token_hint })}`,
      );
      expect(logout.status).to.equal(400);
    }
  });

  it('T1 the metadata offers no symmetric algorithm and no none', async () => {
    const metadata = await getJson(world, '/.well-known/openid-configuration');
    const offered = Object.entries(metadata)
      .filter(([name]) => name.endsWith('alg_values_supported'))
      .flatMap(([, values]) => values as string[]);
    expect(offered).to.include('ES256');
    expect(offered.filter((alg) => alg.startsWith('HS') || alg === 'none')).to.deep.equal([]);
  });

  it('T2 keys that a token brings or points to are not looked at', async () => {
    let visits = 0;
    const trap = http.createServer((_request, response) => {
      visits += 1;
      response.end('{"keys":[]}');
    });
    await new Promise<void>((resolve) => trap.listen(0, '127.0.0.1', resolve));
    const url = `http://127.0.0.1:${(trap.address() as AddressInfo).port}/jwks`;
    const evil = await generateKeyPair('ES256', { extractable: true });
    const jwk = await exportJWK(evil.publicKey);
    for (const header of [
      { jku: url },
      { x5u: url },
      { jwk },
      { kid: '../../etc/passwd' },
      { kid: "' OR 1=1 --" },
    ]) {
      expect((await present(await assertion(header).sign(evil.privateKey))).status).to.equal(401);
    }
    expect(visits).to.equal(0);
    trap.close();
  });

  it('T3 one kind of token does not do for another', async () => {
    const tokens = await tokensFor(world);
    const api = await tokensFor(world, {
      ...{ request: { resource: API, scope: 'openid records:read' }, form: { resource: API } },
    });
    const code = await new Browser(world, 'nora').open(authorizePath());
    const codeValue = String(code.url.searchParams.get('code'));
    const legacy = await world.oidc.grants.issue({
      ...{
        clientId: 'visits-legacy',
        accountId: 'nora',
        organization: 'north',
        scope: 'openid profile',
        amr: ['pwd'],
      },
      access: { value: 'jwt', lifetime: 60, audience: 'https://visits.test', claims: {} },
      refresh: { value: 'legacy-refresh-of-nora', lifetime: 60 },
    });
    const kinds = {
      'ID token': tokens.id_token,
      'refresh token': tokens.refresh_token,
      'authorization code': codeValue,
      'JWT access token for an API': api.access_token,
      'legacy access token': legacy.access.value,
      'legacy refresh token': String(legacy.refresh?.value),
    };
    for (const [kind, token] of Object.entries(kinds)) {
      expect((await userinfo(world, token)).status, `${kind} at userinfo`).to.equal(401);
      if (kind !== 'authorization code') {
        expect((await redeem(world, token)).body.error, `${kind} as code`).to.equal('invalid_grant');
      }
      if (kind !== 'refresh token') {
        const asRefresh = await post(
          world,
          '/token',
          { grant_type: 'refresh_token', refresh_token: token },
          basic('web', 'web-secret'),
        );
        expect(asRefresh.body.error, `${kind} as refresh token`).to.equal('invalid_grant');
      }
      if (kind !== 'ID token') {
        const hinted = await new Browser(world, 'nora').open(authorizePath({ id_token_hint: token }));
        expect(hinted.url.searchParams.get('error'), `${kind} as hint`).to.equal('invalid_request');
      }
    }
    expect(await introspect(world, tokens.id_token)).to.deep.equal({ active: false });
    expect(await introspect(world, codeValue)).to.deep.equal({ active: false });
  });

  it('C7 a token in a query or a cookie opens nothing', async () => {
    const { access_token: token } = await tokensFor(world);
    expect((await userinfo(world, token)).status).to.equal(200);
    for (const name of ['access_token', 'token', 'authorization']) {
      const asked = await fetch(`${world.url}/userinfo?${name}=${token}`, {
        headers: { cookie: `${name}=${token}` },
      });
      expect(asked.status, name).to.be.within(400, 401);
    }
  });

  it('T4 a token for one API names that API alone, and only APIs that the organization may ask', async () => {
    const { access_token: token } = await tokensFor(world, {
      request: { resource: API, scope: 'openid records:read billing:read' },
      form: { resource: API },
    });
    const { payload, protectedHeader } = await jwtVerify(token, await jwks(), {
      audience: API,
      issuer: world.issuer,
    });
    expect(protectedHeader).to.include({ typ: 'at+jwt', alg: 'ES256' });
    expect(payload.scope).to.equal('records:read');
    const elsewhere = await jwtVerify(token, await jwks(), { audience: OTHER_API }).catch(
      (error) => error.code,
    );
    expect(elsewhere).to.equal('ERR_JWT_CLAIM_VALIDATION_FAILED');
    for (const resource of ['https://api.test/unknown', 'https://api.test/south']) {
      const page = await new Browser(world, 'nora').open(authorizePath({ resource }));
      expect(page.url.searchParams.get('error')).to.equal('invalid_target');
    }
  });

  it('T5 an ID token says who, for whom, when, and belongs to its access token', async () => {
    const before = Math.floor(Date.now() / 1000);
    const tokens = await tokensFor(world, { request: { nonce: 'n-0S6', max_age: '600' } });
    const { payload, protectedHeader } = await jwtVerify(tokens.id_token, await jwks(), {
      ...{ issuer: world.issuer, audience: 'web', algorithms: ['RS256'] },
    });
    expect(payload).to.include({ sub: 'nora', nonce: 'n-0S6', aud: 'web' });
    expect(payload.iat).to.be.within(before, before + 5);
    expect(payload.exp).to.equal(Number(payload.iat) + 3600);
    expect(payload.auth_time).to.be.within(before - 1, before + 5);
    const half = createHash('sha256')
      .update(tokens.access_token)
      .digest()
      .subarray(0, 16)
      .toString('base64url');
    expect(payload.at_hash).to.equal(half);
    expect(protectedHeader.kid).to.be.a('string');
  });

  it('a JWT access token is introspected and revoked like any other; its bare jti is not', async () => {
    for (const token of [
      (
        await tokensFor(world, {
          ...{ request: { resource: API, scope: 'openid records:read' }, form: { resource: API } },
        })
      ).access_token,
      String(
        (
          await post(
            world,
            '/token',
            { grant_type: 'client_credentials', resource: API },
            basic('machine', 'machine-secret'),
          )
        ).body.access_token,
      ),
    ]) {
      const { jti, client_id } = decodeJwt(token);
      const seen = await introspect(world, token);
      expect(seen).to.include({ active: true, aud: API, jti, token_type: 'Bearer' });
      const handle = `jwt~${createHash('sha256').update(token).digest('base64url')}`;
      const [head, body] = token.split('.');
      for (const other of [
        String(jti),
        handle,
        `${head}.${body}.${'A'.repeat(86)}`,
        forged({ alg: 'none' }, decodeJwt(token)),
      ]) {
        expect(await introspect(world, other)).to.deep.equal({ active: false });
      }
      const owner = client_id === 'web' ? basic('web', 'web-secret') : basic('machine', 'machine-secret');
      expect((await revoke(world, String(jti), owner)).status).to.equal(200);
      expect((await introspect(world, token)).active).to.equal(true);
      expect((await revoke(world, token, owner)).status).to.equal(200);
      expect(await introspect(world, token)).to.deep.equal({ active: false });
    }
  });

  it('T13 every handle is 128 random bits or more', async () => {
    const created = await Promise.all(
      Array.from({ length: 150 }, () =>
        post(world, '/token', { grant_type: 'client_credentials' }, basic('machine', 'machine-secret')),
      ),
    );
    const handles = created.map(({ body }) => String(body.access_token));
    expect(new Set(handles).size).to.equal(150);
    const counts = new Map<string, number>();
    for (const handle of handles) {
      expect(handle.length).to.be.at.least(43);
      for (const sign of handle) counts.set(sign, (counts.get(sign) ?? 0) + 1);
    }
    expect(counts.size).to.equal(64);
    const mean = handles.join('').length / 64;
    for (const [sign, count] of counts) expect(count, sign).to.be.within(mean * 0.4, mean * 1.6);
    const { refresh_token: refreshToken } = await tokensFor(world);
    expect(refreshToken.length).to.be.at.least(43);
  });

  it('tells the introspecting API nothing that it may not know', async () => {
    expect(await introspect(world, 'x'.repeat(20_000), RECORDS_API)).to.deep.equal({ active: false });
  });
});
