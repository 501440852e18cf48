/** Clients of the profile FAPI 2: what works, and a matrix of what is refused. */
import { randomUUID } from 'node:crypto';
import { mock } from 'node:test';
import { expect } from 'chai';
import { decodeProtectedHeader, UnsecuredJWT } from 'jose';
import * as oauth from 'oauth4webapi';
import * as rp from 'openid-client';
import { type FapiClient, keyPair, now, openFapiClient } from './fapi2-client.ts';
import { Browser, openWorld, post, REDIRECT, type Reply, refresh, tokensFor, type World } from './support.ts';

const insecure = { [oauth.allowInsecureRequests]: true };

describe('a client of the profile FAPI 2', () => {
  let world: World;
  let bank: FapiClient;
  let other: FapiClient;
  let rsaBank: FapiClient;
  let machine: FapiClient;
  const rsa = keyPair('RS256');

  before(async () => {
    world = await openWorld();
    bank = await openFapiClient(world, 'bank');
    other = await openFapiClient(world, 'other-bank');
    const keys = await rsa;
    const { alg: _any, ...jwk } = keys.jwk;
    rsaBank = await openFapiClient(world, 'rsa-bank', { keys, metadata: { jwks: { keys: [jwk] } } });
    const grants = { grant_types: ['client_credentials'], redirect_uris: [], response_types: [] };
    machine = await openFapiClient(world, 'machine', { metadata: grants });
  });
  after(() => world.close());
  afterEach(() => mock.timers.reset());

  const later = (seconds: number) => mock.timers.enable({ apis: ['Date'], now: Date.now() + seconds * 1000 });

  it('FAPI1 signs in with openid-client: pushed request, private_key_jwt, DPoP, iss, and the same refresh token', async () => {
    const key = await keyPair();
    await openFapiClient(world, 'bank-rp', { keys: key });
    const config = await rp.discovery(
      new URL(world.issuer),
      'bank-rp',
      { id_token_signed_response_alg: 'ES256' },
      // Its assertions have the issuer as their audience.
      rp.PrivateKeyJwt({ key: key.privateKey, kid: key.jwk.kid }),
      { execute: [rp.allowInsecureRequests] },
    );
    const DPoP = rp.getDPoPHandle(config, await rp.randomDPoPKeyPair('ES256'));
    const [verifier, state, nonce] = [rp.randomPKCECodeVerifier(), rp.randomState(), rp.randomNonce()];
    const address = await rp.buildAuthorizationUrlWithPAR(
      config,
      {
        ...{ redirect_uri: REDIRECT, scope: 'openid profile', state, nonce, code_challenge_method: 'S256' },
        code_challenge: await rp.calculatePKCECodeChallenge(verifier),
      },
      { DPoP },
    );
    expect([...address.searchParams.keys()].sort()).to.deep.equal(['client_id', 'request_uri']);
    const { url, status } = await new Browser(world, 'nora').open(address);
    expect([status, url.searchParams.get('iss')]).to.deep.equal([303, world.issuer]);
    const tokens = await rp.authorizationCodeGrant(
      config,
      url,
      { pkceCodeVerifier: verifier, expectedState: state, expectedNonce: nonce, idTokenExpected: true },
      undefined,
      { DPoP },
    );
    expect(tokens.token_type).to.equal('dpop');
    expect(decodeProtectedHeader(String(tokens.id_token)).alg).to.equal('ES256');
    const person = await rp.fetchUserInfo(config, tokens.access_token, 'nora', { DPoP });
    expect(person.name).to.equal('nora of the north');
    for (let round = 0; round < 3; round += 1) {
      const again = await rp.refreshTokenGrant(config, String(tokens.refresh_token), undefined, { DPoP });
      expect(again.refresh_token).to.equal(tokens.refresh_token);
      expect(again.access_token).not.to.equal(tokens.access_token);
      expect((await rp.fetchUserInfo(config, again.access_token, 'nora', { DPoP })).sub).to.equal('nora');
    }
  });

  it('FAPI1 signs in with oauth4webapi, and introspection names the key', async () => {
    const key = await keyPair('PS256');
    await openFapiClient(world, 'bank-4web', { keys: key });
    const issuer = new URL(world.issuer);
    const as = await oauth.processDiscoveryResponse(issuer, await oauth.discoveryRequest(issuer, insecure));
    const client: oauth.Client = { client_id: 'bank-4web' };
    const proves = oauth.PrivateKeyJwt({ key: key.privateKey, kid: key.jwk.kid });
    const dpop = await oauth.generateKeyPair('ES256', { extractable: true });
    const options = { DPoP: oauth.DPoP(client, dpop), ...insecure };
    const verifier = oauth.generateRandomCodeVerifier();
    const parameters = new URLSearchParams({
      ...{ redirect_uri: REDIRECT, response_type: 'code', scope: 'openid', code_challenge_method: 'S256' },
      ...{ code_challenge: await oauth.calculatePKCECodeChallenge(verifier), state: 's' },
    });
    const pushed = await oauth.pushedAuthorizationRequest(as, client, proves, parameters, options);
    const { request_uri, expires_in } = await oauth.processPushedAuthorizationResponse(as, client, pushed);
    expect(expires_in).to.be.within(5, 599);
    const { url } = await new Browser(world, 'nora').open(
      `/authorize?${new URLSearchParams({ client_id: 'bank-4web', request_uri })}`,
    );
    const answer = oauth.validateAuthResponse(as, client, url, 's');
    const tokens = await oauth.processAuthorizationCodeResponse(
      as,
      client,
      await oauth.authorizationCodeGrantRequest(as, client, proves, answer, REDIRECT, verifier, options),
      { requireIdToken: true },
    );
    const thumbprint = await oauth.DPoP(client, dpop).calculateThumbprint();
    const reply = await oauth.introspectionRequest(as, client, proves, tokens.access_token, insecure);
    const told = await oauth.processIntrospectionResponse(as, client, reply);
    expect(told).to.deep.include({ active: true, cnf: { jkt: thumbprint } });
  });

  it('FAPI1 clocks may differ by ten seconds, and the address of a pushed request adds nothing', async () => {
    for (const claims of [{ nbf: now() + 8 }, { iat: now() + 8 }, { nbf: now() - 8, exp: now() - 3 }]) {
      const { status } = await bank.push({}, await bank.assertion({ claims }));
      expect(status, JSON.stringify(claims)).to.equal(201);
    }
    const early = await bank.proof('/token', { claims: { iat: now() + 8 } });
    expect((await bank.redeem(await bank.code(), early)).status).to.equal(200);
    const { body } = await bank.push({ state: undefined });
    const added = { state: 'added', scope: 'openid email', redirect_uri: 'https://evil.test/', nonce: 'n' };
    const page = await new Browser(world, 'nora').open(bank.address(body.request_uri, added));
    expect(page.url.href.split('?')[0]).to.equal(REDIRECT);
    expect(page.url.searchParams.get('state')).to.equal(null);
    const { body: tokens } = await bank.redeem(String(page.url.searchParams.get('code')));
    expect(tokens.scope).to.equal('openid profile');
  });

  it('FAPI1 client credentials are bound to the key, and other clients go on without all of this', async () => {
    const { body } = await machine.token({ grant_type: 'client_credentials' });
    expect(body.token_type).to.equal('DPoP');
    const plain = await tokensFor(world);
    expect(Object(plain).token_type).to.equal('Bearer');
    const again = await refresh(world, plain.refresh_token);
    expect(again.body.refresh_token).not.to.equal(plain.refresh_token);
  });

  it('FAPI1 a code that is used again ends the tokens of the refresh token that stayed', async () => {
    const code = await bank.code();
    const first = await bank.redeem(code);
    const second = await bank.refresh(first.body.refresh_token);
    const access = String(second.body.access_token);
    expect((await bank.userinfo(access)).status).to.equal(200);
    later(15);
    expect((await bank.redeem(code)).status).to.equal(400);
    expect((await bank.userinfo(access)).status).to.equal(401);
    expect((await bank.refresh(first.body.refresh_token)).body.error).to.equal('invalid_grant');
  });

  it('SU4 loses the tokens of a code that comes a second time, at once', async () => {
    const code = await bank.code();
    const { body } = await bank.redeem(code);
    expect((await bank.userinfo(String(body.access_token))).status).to.equal(200);
    expect((await bank.redeem(code)).body.error).to.equal('invalid_grant');
    expect((await bank.userinfo(String(body.access_token))).status).to.equal(401);
    expect((await bank.refresh(body.refresh_token)).body.error).to.equal('invalid_grant');
  });

  describe('is refused', () => {
    const REFUSED = (reply: Reply) => [reply.status, reply.body.error];
    const invalidClient = [401, 'invalid_client'];
    const badProof = [400, 'invalid_dpop_proof'];
    const invalidGrant = [400, 'invalid_grant'];
    const invalidRequest = [400, 'invalid_request'];
    const plainly = (changes = {}) =>
      `/authorize?${new URLSearchParams({ client_id: 'bank', ...bank.request, ...changes })}`;
    const errorAt = async (address: string, browser = new Browser(world, 'nora')) => {
      const page = await browser.open(address);
      expect(page.url.searchParams.get('code')).to.equal(null);
      const said = page.url.searchParams.get('error');
      return said ?? (page.status >= 400 ? /[a-z]+_[a-z_]+/.exec(page.text)?.[0] : page.text);
    };
    const asserted = async (signed: Parameters<FapiClient['assertion']>[0]) =>
      REFUSED(await bank.push({}, await bank.assertion(signed)));
    const proved = async (signed: Parameters<FapiClient['proof']>[1]) =>
      REFUSED(await bank.redeem(await bank.code(), await bank.proof('/token', signed)));
    const tokens = async () => {
      const { body } = await bank.redeem(await bank.code());
      return { access: String(body.access_token), refresh: String(body.refresh_token) };
    };

    const CASES: Readonly<Record<string, readonly [says: unknown, () => Promise<unknown>]>> = {
      'an authorization request that is not pushed': ['invalid_request', () => errorAt(plainly())],
      'an authorization request by POST that is not pushed': [
        'invalid_request',
        async () => {
          const page = await new Browser(world, 'nora').open('/authorize', {
            method: 'POST',
            body: new URLSearchParams({ client_id: 'bank', ...bank.request }),
          });
          return page.url.searchParams.get('error');
        },
      ],
      'a request object in place of a pushed request': [
        'invalid_request',
        () =>
          errorAt(plainly({ request: new UnsecuredJWT({ ...bank.request, client_id: 'bank' }).encode() })),
      ],
      'a request_uri that leads elsewhere': [
        'request_uri_not_supported',
        () => errorAt(bank.address('https://bank.test/request.jwt')),
      ],
      'a request_uri that was not given out': [
        'invalid_request_uri',
        () => errorAt(bank.address(`urn:ietf:params:oauth:request_uri:${randomUUID()}`)),
      ],
      'the request_uri of another client': [
        'invalid_request_object',
        async () => errorAt(other.address((await bank.push()).body.request_uri)),
      ],
      'a request_uri that led to a code already': [
        'invalid_request_uri',
        async () => {
          const { body } = await bank.push();
          await new Browser(world, 'nora').open(bank.address(body.request_uri));
          return errorAt(bank.address(body.request_uri));
        },
      ],
      'a request_uri that led to a code already, in the same browser': [
        'invalid_request_uri',
        async () => {
          const browser = new Browser(world, 'nora');
          const address = bank.address((await bank.push()).body.request_uri);
          await browser.open(address);
          return errorAt(address, browser);
        },
      ],
      'another key for the code that Back leads to': [
        invalidGrant,
        async () => {
          const browser = new Browser(world, 'nora');
          const { body } = await bank.push({}, undefined, await bank.proof('/par'));
          const begun = await browser.send(bank.address(body.request_uri));
          const interaction = String(begun.headers.get('location'));
          await browser.open(interaction);
          const again = async () => {
            const { url } = await browser.open(interaction.replace('/interaction/', '/authorize/'));
            return String(url.searchParams.get('code'));
          };
          const stolen = await bank.proof('/token', { key: await keyPair() });
          expect((await bank.redeem(await again())).status, 'its own key').to.equal(200);
          return REFUSED(await bank.redeem(await again(), stolen));
        },
      ],
      'a request_uri of ten minutes ago': [
        'invalid_request_uri',
        async () => {
          const { body } = await bank.push();
          expect(body.expires_in).to.be.within(5, 599);
          later(Number(body.expires_in) + 1);
          return errorAt(bank.address(body.request_uri));
        },
      ],
      'a pushed request without a client assertion': [
        invalidClient,
        async () => REFUSED(await bank.push({}, { client_id: 'bank' })),
      ],
      'a client secret': [
        invalidClient,
        async () => REFUSED(await bank.push({}, { client_id: 'bank', client_secret: 'a secret of its own' })),
      ],
      'a pushed request without PKCE': [
        invalidRequest,
        async () => REFUSED(await bank.push({ code_challenge: undefined, code_challenge_method: undefined })),
      ],
      'plain PKCE': [
        invalidRequest,
        async () => REFUSED(await bank.push({ code_challenge_method: 'plain' })),
      ],
      'PKCE without a method': [
        invalidRequest,
        async () => REFUSED(await bank.push({ code_challenge_method: undefined })),
      ],
      'a pushed request without redirect_uri': [
        invalidRequest,
        async () => REFUSED(await bank.push({ redirect_uri: undefined })),
      ],
      'a redirect_uri that is not registered': [
        invalidRequest,
        async () => REFUSED(await bank.push({ redirect_uri: 'https://app.test/other' })),
      ],
      'a redirect_uri with a query of its own': [
        invalidRequest,
        async () => REFUSED(await bank.push({ redirect_uri: `${REDIRECT}?x=1` })),
      ],
      'response_type token': [
        [400, 'unsupported_response_type'],
        async () => REFUSED(await bank.push({ response_type: 'token' })),
      ],
      'response_type code id_token': [
        [400, 'unsupported_response_type'],
        async () => REFUSED(await bank.push({ response_type: 'code id_token' })),
      ],
      'response_mode fragment': [
        invalidRequest,
        async () => REFUSED(await bank.push({ response_mode: 'fragment' })),
      ],
      'a request_uri within a pushed request': [
        [400, 'request_uri_not_supported'],
        async () => REFUSED(await bank.push({ request_uri: 'urn:ietf:params:oauth:request_uri:x' })),
      ],
      'an assertion for the token endpoint': [
        invalidClient,
        () => asserted({ claims: { aud: `${world.issuer}/token` } }),
      ],
      'an assertion for the endpoint that is asked': [
        invalidClient,
        () => asserted({ claims: { aud: `${world.issuer}/par` } }),
      ],
      'an assertion whose audience is a list of the issuer': [
        invalidClient,
        () => asserted({ claims: { aud: [world.issuer] } }),
      ],
      'an assertion for the issuer and another': [
        invalidClient,
        () => asserted({ claims: { aud: [world.issuer, `${world.issuer}/par`] } }),
      ],
      'an assertion for the issuer with a slash': [
        invalidClient,
        () => asserted({ claims: { aud: `${world.issuer}/` } }),
      ],
      'an assertion that has expired': [invalidClient, () => asserted({ claims: { exp: now() - 11 } })],
      'an assertion without exp': [invalidClient, () => asserted({ claims: { exp: undefined } })],
      'an assertion without jti': [invalidClient, () => asserted({ claims: { jti: undefined } })],
      'an assertion whose nbf is 61 s ahead': [
        invalidClient,
        () => asserted({ claims: { nbf: now() + 61, exp: now() + 120 } }),
      ],
      'an assertion whose iat is 61 s ahead': [
        invalidClient,
        () => asserted({ claims: { iat: now() + 61, exp: now() + 120 } }),
      ],
      'an assertion by another issuer': [invalidClient, () => asserted({ claims: { iss: 'other-bank' } })],
      'an assertion under a key that is not registered': [
        invalidClient,
        async () => asserted({ key: await keyPair() }),
      ],
      'an assertion under RS256': [invalidClient, async () => REFUSED(await rsaBank.push())],
      'an assertion that was used': [
        invalidClient,
        async () => {
          const once = await bank.assertion();
          expect((await bank.push({}, once)).status).to.equal(201);
          return REFUSED(await bank.push({}, once));
        },
      ],
      'a code without a client assertion': [
        invalidClient,
        async () => REFUSED(await bank.redeem(await bank.code(), undefined, { client_id: 'bank' })),
      ],
      'a code without a DPoP proof': [
        invalidGrant,
        async () => REFUSED(await bank.redeem(await bank.code(), {})),
      ],
      'a DPoP proof under RS256': [badProof, async () => proved({ key: await rsa })],
      'a DPoP proof whose iat is 61 s ahead': [badProof, () => proved({ claims: { iat: now() + 61 } })],
      'a DPoP proof for another endpoint': [
        badProof,
        () => proved({ claims: { htu: `${world.issuer}/par` } }),
      ],
      'a DPoP proof for another method': [badProof, () => proved({ claims: { htm: 'GET' } })],
      'a DPoP proof under another key than the pushed request had': [
        invalidGrant,
        async () => {
          const { body } = await bank.push({}, undefined, await bank.proof('/par'));
          const { url } = await new Browser(world, 'nora').open(bank.address(body.request_uri));
          const code = String(url.searchParams.get('code'));
          return REFUSED(await bank.redeem(code, await bank.proof('/token', { key: await keyPair() })));
        },
      ],
      'a DPoP proof that was used': [
        badProof,
        async () => {
          const proof = await bank.proof('/token');
          expect((await bank.redeem(await bank.code(), proof)).status).to.equal(200);
          return REFUSED(await bank.redeem(await bank.code(), proof));
        },
      ],
      'a code after 60 s': [
        invalidGrant,
        async () => {
          const code = await bank.code();
          later(61);
          return REFUSED(await bank.redeem(code));
        },
      ],
      'a code a second time': [
        invalidGrant,
        async () => {
          const code = await bank.code();
          expect((await bank.redeem(code)).status).to.equal(200);
          return REFUSED(await bank.redeem(code));
        },
      ],
      'the code of another client': [
        invalidGrant,
        async () => REFUSED(await other.redeem(await bank.code())),
      ],
      'a code with another verifier': [
        invalidGrant,
        async () =>
          REFUSED(
            await bank.token({
              ...{ grant_type: 'authorization_code', code: await bank.code() },
              code_verifier: 'another-verifier-of-more-than-forty-three-characters',
            }),
          ),
      ],
      'a bound token as Bearer at userinfo': [
        [401, 'invalid_token'],
        async () => {
          const { access } = await tokens();
          return REFUSED(await bank.userinfo(access, { authorization: `Bearer ${access}` }));
        },
      ],
      'a bound token under another key at userinfo': [
        [401, 'invalid_token'],
        async () => {
          const { access: token } = await tokens();
          const proof = await bank.proof('/userinfo', { token, method: 'GET', key: await keyPair() });
          return REFUSED(await bank.userinfo(token, { authorization: `DPoP ${token}`, ...proof }));
        },
      ],
      'a bound token without a proof at userinfo': [
        invalidRequest,
        async () => {
          const { access } = await tokens();
          return REFUSED(await bank.userinfo(access, { authorization: `DPoP ${access}` }));
        },
      ],
      'a token in the address of userinfo': [
        [400, 'invalid_request'],
        async () => {
          const { access } = await tokens();
          const reply = await fetch(`${world.url}/userinfo?access_token=${access}`);
          return [reply.status, Object(await reply.json()).error];
        },
      ],
      'a refresh without a client assertion': [
        invalidClient,
        async () => REFUSED(await bank.refresh((await tokens()).refresh, undefined, { client_id: 'bank' })),
      ],
      'a refresh without a DPoP proof': [
        invalidGrant,
        async () => REFUSED(await bank.refresh((await tokens()).refresh, {})),
      ],
      'the refresh token of another client': [
        invalidGrant,
        async () => REFUSED(await other.refresh((await tokens()).refresh)),
      ],
      'client_credentials without a DPoP proof': [
        invalidGrant,
        async () => REFUSED(await machine.token({ grant_type: 'client_credentials' }, {})),
      ],
      'a device code': [
        [400, 'unauthorized_client'],
        async () => REFUSED(await post(world, '/device_authorization', { ...(await bank.assertion()) })),
      ],
      'a password': [
        [400, 'unsupported_grant_type'],
        async () => REFUSED(await bank.token({ grant_type: 'password', username: 'nora', password: 'x' })),
      ],
    };
    for (const [what, [says, ask]] of Object.entries(CASES)) {
      it(`FAPI2 ${what}`, async () => expect(await ask()).to.deep.equal(says));
    }
  });
});
