/**
 * Answers that are signed, and encrypted where the client asks: ID tokens, userinfo, introspection (RFC 9701) and the
 * answer to an authorization request (JARM). jose verifies and decrypts each, as the client would.
 */
import { expect } from 'chai';
import {
  compactDecrypt,
  createLocalJWKSet,
  decodeProtectedHeader,
  exportJWK,
  generateKeyPair,
  importJWK,
  type JSONWebKeySet,
  type JWTPayload,
  jwtVerify,
  SignJWT,
} from 'jose';
import { secretsFrom } from '../../src/core/crypto.ts';
import type { Json } from '../../src/model/json.ts';
import type { SigningKey } from '../../src/oidc/persistence/signing-keys.ts';
import {
  authorizePath,
  Browser,
  basic,
  codeFor,
  getJson,
  introspect,
  openWorld,
  post,
  REDIRECT,
  redeem,
  type Tokens,
  tokensFor,
  type World,
} from './support.ts';

const ALGORITHMS = ['RSA-OAEP-256', 'ECDH-ES', 'ECDH-ES+A128KW', 'ECDH-ES+A256KW'] as const;
const CONTENTS = ['A128CBC-HS256', 'A128GCM', 'A256GCM'] as const;
const JWT_INTROSPECTION = 'application/token-introspection+jwt';

describe('signed and encrypted answers', () => {
  let world: World;
  let keys: Record<string, Parameters<typeof compactDecrypt>[1]>;
  before(async () => {
    world = await openWorld();
    const rsa = await generateKeyPair('RSA-OAEP-256', { extractable: true });
    const ec = await generateKeyPair('ECDH-ES', { extractable: true });
    keys = { RSA: rsa.privateKey, EC: ec.privateKey };
    const jwks = {
      keys: [
        { ...(await exportJWK(rsa.publicKey)), kid: 'rsa', use: 'enc' },
        { ...(await exportJWK(ec.publicKey)), kid: 'ec', use: 'enc' },
      ],
    };
    for (const [clientId, metadata] of Object.entries(clients())) {
      await world.putClient({
        ...{ clientId, secret: `${clientId}-secret`, traits: { firstParty: true, introspects: ['web'] } },
        metadata: { ...metadata, jwks: JSON.parse(JSON.stringify(jwks)) },
      });
    }
  });
  after(() => world.close());

  function clients(): Record<string, Record<string, Json>> {
    const encrypting = ALGORITHMS.flatMap((alg) =>
      CONTENTS.map((enc): [string, Record<string, Json>] => {
        const all = ['id_token', 'userinfo', 'introspection'].map((what) => [
          [`${what}_signed_response_alg`, 'ES256'],
          [`${what}_encrypted_response_alg`, alg],
          [`${what}_encrypted_response_enc`, enc],
        ]);
        return [`${alg}.${enc}`.replaceAll('+', '-'), Object.fromEntries(all.flat())];
      }),
    );
    const signing = ['ES256', 'RS256'].map((alg): [string, Record<string, Json>] => [
      alg,
      {
        userinfo_signed_response_alg: alg,
        introspection_signed_response_alg: alg,
        authorization_signed_response_alg: alg,
      },
    ]);
    return Object.fromEntries([...encrypting, ...signing]);
  }

  const secretOf = (clientId: string) => basic(clientId, `${clientId}-secret`);
  const signIn = (clientId: string): Promise<Tokens> =>
    tokensFor(world, { request: { client_id: clientId }, headers: secretOf(clientId) });

  /** Verified with the published keys. */
  async function verified(token: string, audience: string): Promise<JWTPayload & Record<string, unknown>> {
    const jwks = createLocalJWKSet((await getJson(world, '/jwks')) as unknown as JSONWebKeySet);
    return (await jwtVerify(token, jwks, { issuer: world.issuer, audience })).payload;
  }

  async function decrypted(token: string, { alg, enc }: { alg: string; enc: string }): Promise<string> {
    const header = decodeProtectedHeader(token);
    expect([header.alg, header.enc, header.cty]).to.deep.equal([alg, enc, 'JWT']);
    const key = keys[alg.startsWith('RSA') ? 'RSA' : 'EC'];
    if (key === undefined) throw new Error(alg);
    return Buffer.from((await compactDecrypt(token, key)).plaintext).toString('utf8');
  }

  async function userinfoOf(token: string) {
    const reply = await fetch(`${world.url}/userinfo`, { headers: { authorization: `Bearer ${token}` } });
    return { type: reply.headers.get('content-type'), text: await reply.text() };
  }

  async function introspected(clientId: string, token: string, accept: string = JWT_INTROSPECTION) {
    const headers = { ...secretOf(clientId), accept };
    const body = new URLSearchParams({ token });
    const reply = await fetch(`${world.url}/introspect`, { method: 'POST', body, headers });
    return { status: reply.status, type: reply.headers.get('content-type'), text: await reply.text() };
  }

  it('PR2 userinfo is a JWT for the client that registered an algorithm, and JSON for every other', async () => {
    for (const alg of ['ES256', 'RS256']) {
      const tokens = await signIn(alg);
      const { type, text } = await userinfoOf(tokens.access_token);
      expect(type).to.match(/^application\/jwt/);
      expect(decodeProtectedHeader(text).alg).to.equal(alg);
      expect(await verified(text, alg)).to.include({ sub: 'nora' });
      expect((await userinfoOf(text)).text, 'no access token itself').to.contain('invalid_token');
    }
    const { type, text } = await userinfoOf((await tokensFor(world)).access_token);
    expect(type).to.match(/^application\/json/);
    expect(JSON.parse(text)).to.deep.equal({ sub: 'nora' });
  });

  it('PR2 ID tokens, userinfo and introspection are encrypted by every algorithm that the metadata name', async () => {
    const metadata = await getJson(world, '/.well-known/openid-configuration');
    for (const what of ['id_token', 'userinfo', 'introspection']) {
      expect(metadata[`${what}_encryption_alg_values_supported`]).to.have.members([...ALGORITHMS]);
      expect(metadata[`${what}_encryption_enc_values_supported`]).to.have.members([...CONTENTS]);
      expect(metadata[`${what}_signing_alg_values_supported`]).to.have.members(['ES256', 'RS256']);
    }
    for (const alg of ALGORITHMS) {
      for (const enc of CONTENTS) {
        const client = `${alg}.${enc}`.replaceAll('+', '-');
        const tokens = await signIn(client);
        const idToken = await decrypted(tokens.id_token, { alg, enc });
        expect((await verified(idToken, client)).sub, client).to.equal('nora');
        const info = await userinfoOf(tokens.access_token);
        expect((await verified(await decrypted(info.text, { alg, enc }), client)).sub).to.equal('nora');
        const told = await introspected(client, tokens.access_token);
        const { token_introspection: about } = await verified(
          await decrypted(told.text, { alg, enc }),
          client,
        );
        expect(about).to.include({ active: true, sub: 'nora' });
        // RFC 9701, 6: it would go in the clear otherwise.
        const plain = await introspected(client, tokens.access_token, 'application/json');
        expect([plain.status, JSON.parse(plain.text).error]).to.deep.equal([400, 'invalid_request']);
        // OIDC Core 3.1.2.1: the client shows the signed token that was inside.
        const page = await new Browser(world, 'nora').open(
          authorizePath({ client_id: client, id_token_hint: idToken }),
        );
        expect(page.url.searchParams.get('code')).to.be.a('string');
      }
    }
  });

  it('PR3 introspection is a JWT where the Accept header asks for one, and JSON as before everywhere else', async () => {
    const { access_token: token } = await tokensFor(world);
    for (const alg of ['ES256', 'RS256']) {
      const { type, text } = await introspected(alg, token);
      expect(type).to.match(/^application\/token-introspection\+jwt/);
      expect(decodeProtectedHeader(text)).to.include({ alg, typ: 'token-introspection+jwt' });
      const claims = await verified(text, alg);
      expect(claims.token_introspection).to.include({ active: true, sub: 'nora', client_id: 'web' });
      expect(claims, 'no token of the person itself (RFC 9701, 5)').to.not.have.any.keys('sub', 'exp');
      const unknown = await verified((await introspected(alg, 'unknown')).text, alg);
      expect(unknown.token_introspection).to.deep.equal({ active: false });
      for (const accept of [
        'application/json',
        '*/*',
        '',
        'text/html',
        `application/json, ${JWT_INTROSPECTION};q=0.5`,
      ]) {
        expect(JSON.parse((await introspected(alg, token, accept)).text), accept).to.include({
          active: true,
        });
      }
    }
    // RS256 is the default of the specification.
    const headers = { ...basic('records-api', 'records-secret'), accept: JWT_INTROSPECTION };
    const reply = await post(world, '/introspect', { token }, headers);
    expect(decodeProtectedHeader(String(reply.body.text)).alg).to.equal('RS256');
    expect(await introspect(world, String(reply.body.text)), 'no token itself').to.deep.equal({
      active: false,
    });
  });

  it('PR3 an API key is described in a JWT as an access token is', async () => {
    const described = {
      ...{ clientId: 'web', organization: 'north', subject: 'nora', scope: 'read', issuedAt: 1, claims: {} },
    };
    world.oidc.askDialects({
      describeApiKey: async (key) => (key === 'avk_known' ? described : undefined),
      isApiKey: (text) => text.startsWith('avk_'),
      admitsToken: async () => true,
      offerToken: async () => undefined,
    });
    const about = async (token: string) =>
      (await verified((await introspected('ES256', token)).text, 'ES256')).token_introspection;
    expect(await about('avk_known')).to.include({ active: true, token_type: 'api_key', sub: 'nora' });
    expect(await about('avk_other')).to.deep.equal({ active: false });
    const plain = JSON.parse((await introspected('ES256', 'avk_known', 'application/json')).text);
    expect(plain).to.include({ active: true, token_type: 'api_key' });
  });

  const answerIn = (page: { url: URL; text: string }) =>
    page.url.searchParams.get('response') ?? /name="response" value="([^"]*)"/.exec(page.text)?.[1] ?? '';

  it('PR5 the answer to an authorization request is a JWT in every mode that the metadata name', async () => {
    for (const client of ['ES256', 'RS256']) {
      for (const response_mode of ['jwt', 'query.jwt', 'form_post.jwt']) {
        const said = { client_id: client, response_mode };
        const page = await new Browser(world, 'nora').open(authorizePath(said));
        if (response_mode === 'form_post.jwt') {
          expect(page.status).to.equal(200);
          expect(page.text).to.contain(`<form method="post" action="${REDIRECT}">`);
          expect(page.text).not.to.contain('<script').and.not.to.contain('name="code"');
        } else expect([...page.url.searchParams.keys()]).to.deep.equal(['response']);
        const token = answerIn(page);
        expect(decodeProtectedHeader(token).alg).to.equal(client);
        const { code, state, exp = 0 } = await verified(token, client);
        expect(state).to.equal('st-1');
        expect(exp - Date.now() / 1000).to.be.within(60, 600);
        expect((await redeem(world, String(code), {}, secretOf(client))).status).to.equal(200);

        const refused = await new Browser(world).open(authorizePath({ ...said, prompt: 'none' }));
        if (response_mode === 'form_post.jwt') expect(refused.status).to.equal(400);
        const { error, error_description: words, state: same } = await verified(answerIn(refused), client);
        expect([error, same]).to.deep.equal(['login_required', 'st-1']);
        expect(words).to.contain('send the person here without prompt=none');
      }
    }
    const refused = await new Browser(world, 'nora').open(authorizePath({ response_mode: 'fragment.jwt' }));
    const fragment = new URLSearchParams(refused.url.hash.slice(1)).get('response') ?? '';
    expect(await verified(fragment, 'web'))
      .to.include({ error: 'invalid_request' })
      .and.not.have.property('code');
  });

  it('PR5 a pushed request is answered in its mode too', async () => {
    const form = authorizePath({ client_id: 'ES256', response_mode: 'form_post.jwt' }).split('?')[1] ?? '';
    const { body } = await post(world, '/par', form, secretOf('ES256'));
    const query = new URLSearchParams({ client_id: 'ES256', request_uri: String(body.request_uri) });
    const page = await new Browser(world, 'nora').open(`/authorize?${query}`);
    expect((await verified(answerIn(page), 'ES256')).code).to.be.a('string');
  });

  const hinted = (id_token_hint: string) =>
    new Browser(world, 'nora').open(authorizePath({ client_id: 'ES256', id_token_hint }));
  const errorAt = ({ url }: { url: URL }) => url.searchParams.get('error');

  /** With the server's own key, as a logout token of the person is. */
  async function signedByServer(typ: string | undefined): Promise<string> {
    const { encrypted = '' } = (await world.stores.keyring.read()) ?? {};
    const ring: SigningKey[] = JSON.parse(secretsFrom(Buffer.alloc(32, 7)).decrypt(encrypted, 'keyring'));
    const { jwk, kid } = ring.find(({ alg }) => alg === 'ES256') ?? {};
    return new SignJWT({ events: {} })
      .setProtectedHeader({ alg: 'ES256', ...(kid && { kid }), ...(typ && { typ }) })
      .setIssuer(world.issuer)
      .setAudience('ES256')
      .setSubject('nora')
      .setIssuedAt()
      .setExpirationTime('2m')
      .sign(await importJWK(jwk ?? {}, 'ES256'));
  }

  it('T3 PR2 what the server signs is no ID token: not taken as a hint', async () => {
    const code = await codeFor(new Browser(world, 'nora'), { client_id: 'ES256' });
    const tokens = (await redeem(world, code, {}, secretOf('ES256'))).body;
    const hints = {
      introspection: (await introspected('ES256', String(tokens.access_token))).text,
      answer: answerIn(
        await new Browser(world, 'nora').open(authorizePath({ client_id: 'ES256', response_mode: 'jwt' })),
      ),
    };
    const logout = await signedByServer('logout+jwt');
    expect(errorAt(await hinted(await signedByServer(undefined))), 'the same without typ').to.equal(null);
    for (const [name, id_token_hint] of Object.entries({ ...hints, logout })) {
      expect(errorAt(await hinted(id_token_hint)), name).to.equal('invalid_request');
    }
  });
});
