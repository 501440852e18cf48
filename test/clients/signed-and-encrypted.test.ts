/**
 * openid-client and oauth4webapi with everything signed, and encrypted where both sides can: a signed request, pushed
 * or in the address, its answer as a JWT, an encrypted ID token, userinfo and introspection, and a pairwise subject.
 */
import { expect } from 'chai';
import { compactDecrypt, decodeProtectedHeader, exportJWK, generateKeyPair } from 'jose';
import * as oauth from 'oauth4webapi';
import * as oidc from 'openid-client';
import { INES } from '../support/client-app.ts';
import { basicAuth, ownApp, webApp } from '../support/clients.ts';
import { relyingParty, signIn, walk } from '../support/relying-party.ts';
import { startTestServer, type TestServer } from '../support/server.ts';
import { openWebSession } from '../support/web-session.ts';

const { clientId, redirectUri, secret = '' } = ownApp;

const SIGNED = {
  id_token_signed_response_alg: 'ES256',
  userinfo_signed_response_alg: 'ES256',
  introspection_signed_response_alg: 'ES256',
  authorization_signed_response_alg: 'ES256',
} as const;

const pairs = {
  signs: await generateKeyPair('ES256'),
  decrypts: await generateKeyPair('ECDH-ES+A256KW', { extractable: true }),
};

const ENCRYPTED = Object.fromEntries(
  ['id_token', 'userinfo', 'introspection'].flatMap((answer) => [
    [`${answer}_encrypted_response_alg`, 'ECDH-ES+A256KW'],
    [`${answer}_encrypted_response_enc`, 'A256GCM'],
  ]),
);

describe('clients whose messages are signed and encrypted', () => {
  let server: TestServer;
  /** Heads of the JWTs that the server sent. */
  const sent: { alg?: string; enc?: string; typ?: string }[] = [];

  before(async () => {
    server = await startTestServer();
    const { clients } = server.running.stores;
    const own = await clients.byId(clientId);
    if (own === undefined) throw new Error(clientId);
    const keys = [
      { ...(await exportJWK(pairs.signs.publicKey)), kid: 'signs', use: 'sig' },
      { ...(await exportJWK(pairs.decrypts.publicKey)), kid: 'decrypts', use: 'enc' },
    ];
    const more = { ...SIGNED, ...ENCRYPTED, jwks: { keys }, subject_type: 'pairwise' };
    const must = { require_signed_request_object: true };
    await clients.put({
      ...own,
      metadata: JSON.parse(JSON.stringify({ ...own.metadata, ...more, ...must })),
    });
  });
  after(() => server.close());

  const parameters = (challenge: string, state: string, nonce: string) => ({
    ...{ redirect_uri: redirectUri, response_type: 'code', scope: 'openid profile', state, nonce },
    ...{ code_challenge: challenge, code_challenge_method: 'S256' },
  });

  it('PR7 openid-client signs its request, pushed or not, and verifies and decrypts every answer', async () => {
    const configuration = await oidc.discovery(
      new URL(server.issuer),
      clientId,
      { client_secret: secret, ...SIGNED },
      oidc.ClientSecretBasic(secret),
      { execute: [oidc.allowInsecureRequests, oidc.useJwtResponseMode, oidc.enableNonRepudiationChecks] },
    );
    oidc.enableDecryptingResponses(configuration, ['A256GCM'], {
      key: pairs.decrypts.privateKey,
      alg: 'ECDH-ES+A256KW',
      kid: 'decrypts',
    });
    for (const pushes of [false, true]) {
      const [verifier, state, nonce] = [
        oidc.randomPKCECodeVerifier(),
        oidc.randomState(),
        oidc.randomNonce(),
      ];
      const asked = parameters(await oidc.calculatePKCECodeChallenge(verifier), state, nonce);
      const key = { key: pairs.signs.privateKey, kid: 'signs' };
      const inAddress = await oidc.buildAuthorizationUrlWithJAR(configuration, asked, key);
      const url = pushes
        ? await oidc.buildAuthorizationUrlWithPAR(configuration, inAddress.searchParams)
        : inAddress;
      const callback = new URL(await walk(openWebSession(), url.href, redirectUri, INES));
      expect([...callback.searchParams.keys()]).to.deep.equal(['response']);
      const tokens = await oidc.authorizationCodeGrant(configuration, callback, {
        pkceCodeVerifier: verifier,
        expectedState: state,
        expectedNonce: nonce,
        idTokenExpected: true,
      });
      const sub = tokens.claims()?.sub ?? '';
      expect(sub).to.match(/^[\w-]{43}$/);
      const person = await oidc.fetchUserInfo(configuration, tokens.access_token, sub);
      expect(person).to.include({ sub, name: INES.name });
      const told = await oidc.tokenIntrospection(configuration, tokens.access_token);
      expect(told).to.include({ active: true, sub, client_id: clientId });
    }
  });

  it('PR7 oauth4webapi does so too, step by step', async () => {
    const http = { [oauth.allowInsecureRequests]: true };
    const opens = {
      [oauth.jweDecrypt]: async (jwe: string) => {
        sent.push(decodeProtectedHeader(jwe));
        const { plaintext } = await compactDecrypt(jwe, pairs.decrypts.privateKey);
        return Buffer.from(plaintext).toString('utf8');
      },
    };
    const issuer = new URL(server.issuer);
    const as = await oauth.processDiscoveryResponse(issuer, await oauth.discoveryRequest(issuer, http));
    const client: oauth.Client = { client_id: clientId, ...SIGNED };
    const authentication = oauth.ClientSecretBasic(secret);
    const [verifier, state, nonce] = [
      oauth.generateRandomCodeVerifier(),
      oauth.generateRandomState(),
      oauth.generateRandomNonce(),
    ];
    const asked = parameters(await oauth.calculatePKCECodeChallenge(verifier), state, nonce);
    const request = await oauth.issueRequestObject(
      as,
      client,
      { ...asked, response_mode: 'query.jwt' },
      { key: pairs.signs.privateKey, kid: 'signs' },
    );
    const url = `${as.authorization_endpoint}?${new URLSearchParams({ client_id: clientId, request })}`;
    const callback = new URL(await walk(openWebSession(), url, redirectUri, INES));
    const answer = await oauth.validateJwtAuthResponse(as, client, callback, state, http);
    const tokens = await oauth.processAuthorizationCodeResponse(
      as,
      client,
      await oauth.authorizationCodeGrantRequest(
        ...([as, client, authentication, answer, redirectUri, verifier, http] as const),
      ),
      { expectedNonce: nonce, requireIdToken: true, ...opens },
    );
    const sub = oauth.getValidatedIdTokenClaims(tokens)?.sub ?? '';
    const info = await oauth.userInfoRequest(as, client, tokens.access_token, http);
    expect(await oauth.processUserInfoResponse(as, client, sub, info, opens)).to.include({ name: INES.name });
    const told = await oauth.introspectionRequest(as, client, authentication, tokens.access_token, {
      ...http,
      requestJwtResponse: true,
    });
    const about = await oauth.processIntrospectionResponse(as, client, told, opens);
    expect(about).to.include({ active: true, sub });
    expect(sent).to.have.length(3);
    for (const head of sent) expect(head).to.include({ alg: 'ECDH-ES+A256KW', enc: 'A256GCM' });
  });

  it('PR7 a client that has registered none of it may ask at introspection for a JWT', async () => {
    const http = { [oauth.allowInsecureRequests]: true };
    const issuer = new URL(server.issuer);
    const as = await oauth.processDiscoveryResponse(issuer, await oauth.discoveryRequest(issuer, http));
    const { tokens } = await signIn(await relyingParty(server.issuer, webApp), {
      login: INES.login,
      password: INES.password,
    });
    const client: oauth.Client = { client_id: webApp.clientId };
    const ask = (accept: string) =>
      fetch(`${server.url}/introspect`, {
        method: 'POST',
        body: `token=${tokens.access_token}`,
        // As the fast path knows it.
        headers: {
          ...{ authorization: basicAuth(webApp), accept },
          'content-type': 'application/x-www-form-urlencoded',
        },
      });
    for (const type of ['application/token-introspection+jwt', 'application/json']) {
      const reply = await ask(type);
      expect(reply.headers.get('content-type')?.split(';')[0]).to.equal(type);
      expect(await oauth.processIntrospectionResponse(as, client, reply)).to.include({ active: true });
    }
  });
});
