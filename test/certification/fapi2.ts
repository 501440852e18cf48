/** The modules of the plan "fapi2-final" (private_key_jwt, DPoP, plain FAPI), by name. */
import { randomBytes } from 'node:crypto';
import { mock } from 'node:test';
import { expect } from 'chai';
import { calculateJwkThumbprint, decodeJwt } from 'jose';
import { type Changes, type FapiClient, keyPair, now } from '../oidc/fapi2-client.ts';
import { Browser, getJson, REDIRECT, type Reply, type World } from '../oidc/support.ts';

export interface Bank {
  readonly world: World;
  readonly bank: FapiClient;
  readonly other: FapiClient;
  /** Its key is RSA. */
  readonly rsaBank: FapiClient;
}

type Module = (bank: Bank) => Promise<void>;

const REFUSED = 'refused';
const said = ({ status, body }: Reply) => (status < 400 ? status : `${REFUSED} ${body.error}`);
const invalid = (reply: Reply, ...errors: string[]) =>
  expect(said(reply)).to.be.oneOf(errors.map((error) => `${REFUSED} ${error}`));
const jkt = async ({ jwk }: { jwk: object }) => calculateJwkThumbprint(jwk);

/** Pushes, signs in, redeems. */
async function tokens({ bank }: Bank, changes: Changes = {}) {
  const reply = await bank.redeem(await bank.code(changes));
  expect(reply.status, JSON.stringify(reply.body)).to.equal(200);
  const { access_token: access, refresh_token: refresh, id_token: id } = reply.body;
  expect(reply.body.token_type).to.equal('DPoP');
  return { access: String(access), refresh: String(refresh), claims: decodeJwt(String(id)) };
}

const signsInWith =
  (changes: Changes): Module =>
  async (bank) => {
    const { claims } = await tokens(bank, changes);
    expect(claims.nonce).to.equal(changes.nonce);
  };

/** The answer at the callback to what was pushed, whatever else stands in the address. */
async function answerTo({ world, bank }: Bank, pushed: Changes, outside: Changes = {}) {
  const { body } = await bank.push(pushed);
  const { url } = await new Browser(world, 'nora').open(bank.address(body.request_uri, outside));
  expect(url.searchParams.get('iss')).to.equal(world.issuer);
  return url.searchParams;
}

const isPushedInVain =
  (changes: Changes, ...errors: string[]): Module =>
  async ({ bank }) =>
    void invalid(await bank.push(changes), ...errors);

/** `claims` of a client assertion, at /par or at /token. */
const assertion =
  (claims: (world: World) => Record<string, unknown>, at: 'par' | 'token' = 'par'): Module =>
  async ({ world, bank }) => {
    const form = await bank.assertion({ claims: claims(world) });
    const reply =
      at === 'par' ? await bank.push({}, form) : await bank.redeem(await bank.code(), undefined, form);
    invalid(reply, 'invalid_client', 'invalid_request');
  };

const proofWith =
  (claims: () => Record<string, unknown>): Module =>
  async ({ bank }) => {
    const proof = await bank.proof('/token', { claims: claims() });
    expect((await bank.redeem(await bank.code(), proof)).status).to.equal(200);
  };

async function isRefusedWithoutPush({ world, bank }: Bank, changes = {}): Promise<void> {
  const plain = { client_id: bank.clientId, ...bank.request, ...changes };
  const { url, text } = await new Browser(world, 'nora').open(`/authorize?${new URLSearchParams(plain)}`);
  expect(url.searchParams.get('code')).to.equal(null);
  expect(url.searchParams.get('error') ?? text).to.match(/invalid_request|invalid_redirect_uri/);
}

async function later<Result>(seconds: number, act: () => Promise<Result>): Promise<Result> {
  mock.timers.enable({ apis: ['Date'], now: Date.now() + seconds * 1000 });
  try {
    return await act();
  } finally {
    mock.timers.reset();
  }
}

const long = randomBytes(192).toString('hex');

const MODULES_BY_END: Readonly<Record<string, Module>> = {
  'discovery-end-point-verification: the metadata name what the profile needs': async ({ world }) => {
    const metadata = await getJson(world, '/.well-known/openid-configuration');
    expect(metadata).to.include.keys('pushed_authorization_request_endpoint', 'authorization_endpoint');
    expect(metadata.authorization_response_iss_parameter_supported).to.equal(true);
    const lists = { token_endpoint_auth_methods_supported: 'private_key_jwt', scopes_supported: 'openid' };
    const more = { dpop_signing_alg_values_supported: 'ES256', code_challenge_methods_supported: 'S256' };
    for (const [name, value] of Object.entries({ ...lists, ...more }))
      expect(metadata[name], name).to.include(value);
  },
  'happy-flow: pushes, signs in, and reads userinfo': async (bank) => {
    const { access, claims } = await tokens(bank, { nonce: 'n-1' });
    expect(claims).to.include({ iss: bank.world.issuer, aud: bank.bank.clientId, nonce: 'n-1' });
    expect((await bank.bank.userinfo(access)).body.sub).to.equal(claims.sub);
  },
  'user-rejects-authentication: the app hears access_denied': async ({ world, bank }) => {
    const browser = new Browser(world);
    browser.consent = 'no';
    const { body } = await bank.push();
    const { searchParams } = (await browser.open(bank.address(body.request_uri))).url;
    expect(Object.fromEntries(searchParams)).to.include({
      error: 'access_denied',
      state: 'st-1',
      iss: world.issuer,
    });
  },
  'ensure-authorization-request-without-state-success: answers without state': async (bank) =>
    void expect((await answerTo(bank, { state: undefined })).has('state')).to.equal(false),
  'ensure-authorization-request-without-nonce-success: an ID token without nonce': signsInWith({}),
  'ensure-authorization-request-with-64-char-nonce-success': signsInWith({ nonce: long.slice(0, 64) }),
  'ensure-authorization-request-with-long-nonce: comes back as it was': signsInWith({ nonce: long }),
  'ensure-authorization-request-with-long-state: comes back as it was': async (bank) =>
    void expect((await answerTo(bank, { state: long })).get('state')).to.equal(long),
  'ensure-other-scope-order-succeeds': signsInWith({ scope: 'profile openid' }),
  'test-claims-parameter-identity-claims: essential claims come': async (bank) => {
    const claims = JSON.stringify({ userinfo: { name: { essential: true } } });
    const { access } = await tokens(bank, { claims });
    expect((await bank.bank.userinfo(access)).body.name).to.be.a('string');
  },
  'access-token-type-header-case-sensitivity: dpop, DPoP and DPOP are one': async (bank) => {
    const { access: token } = await tokens(bank);
    for (const scheme of ['dpop', 'DPoP', 'DPOP']) {
      const proof = await bank.bank.proof('/userinfo', { token, method: 'GET' });
      const reply = await bank.bank.userinfo(token, { authorization: `${scheme} ${token}`, ...proof });
      expect(reply.status, scheme).to.equal(200);
    }
  },
  'check-dpop-proof-nbf-exp: a proof may have them': proofWith(() => ({ nbf: now() - 5, exp: now() + 60 })),
  'ensure-dpopproof-with-iat-10seconds-before-succeeds': proofWith(() => ({ iat: now() - 10 })),
  'ensure-dpopproof-with-iat-10seconds-after-succeeds': proofWith(() => ({ iat: now() + 9 })),
  'ensure-mismatched-dpop-jkt-fails: dpop_jkt and the proof at /par differ': async ({ bank }) => {
    const dpop_jkt = await jkt(await keyPair());
    invalid(
      await bank.push({ dpop_jkt }, undefined, await bank.proof('/par')),
      'invalid_request',
      'invalid_dpop_proof',
    );
  },
  'ensure-token-endpoint-fails-with-mismatched-dpop-proof-jkt: the proof at /par was by another key': async ({
    world,
    bank,
  }) => {
    const headers = await bank.proof('/par', { key: await keyPair() });
    const { body } = await bank.push({}, undefined, headers);
    const { url } = await new Browser(world, 'nora').open(bank.address(body.request_uri));
    invalid(await bank.redeem(String(url.searchParams.get('code'))), 'invalid_grant', 'invalid_dpop_proof');
  },
  'ensure-token-endpoint-fails-with-mismatched-dpop-jkt: dpop_jkt is another key’s': async ({ bank }) => {
    const code = await bank.code({ dpop_jkt: await jkt(await keyPair()) });
    invalid(await bank.redeem(code), 'invalid_grant', 'invalid_dpop_proof');
  },
  'ensure-dpopproof-at-par-endpoint-binding-success: the key of the proof at /par': async ({
    world,
    bank,
  }) => {
    const { body } = await bank.push({}, undefined, await bank.proof('/par'));
    const { url } = await new Browser(world, 'nora').open(bank.address(body.request_uri));
    expect((await bank.redeem(String(url.searchParams.get('code')))).status).to.equal(200);
  },
  'ensure-dpop-auth-code-binding-success: the key of dpop_jkt': async ({ bank }) => {
    const key = await keyPair();
    const code = await bank.code({ dpop_jkt: await jkt(key) });
    expect((await bank.redeem(code, await bank.proof('/token', { key }))).status).to.equal(200);
  },
  'ensure-different-nonce-inside-and-outside-request-object: the pushed one counts': async (bank) => {
    const code = (await answerTo(bank, { nonce: 'inside' }, { nonce: 'outside' })).get('code');
    const { body } = await bank.bank.redeem(String(code));
    expect(decodeJwt(String(body.id_token)).nonce).to.equal('inside');
  },
  'ensure-different-state-inside-and-outside-request-object: the pushed one counts': async (bank) =>
    void expect((await answerTo(bank, { state: 'inside' }, { state: 'outside' })).get('state')).to.equal(
      'inside',
    ),
  'state-only-outside-request-object-not-used': async (bank) =>
    void expect((await answerTo(bank, { state: undefined }, { state: 'outside' })).get('state')).to.equal(
      null,
    ),
  'ensure-request-object-without-redirect-uri-fails': isPushedInVain(
    { redirect_uri: undefined },
    'invalid_request',
  ),
  'plain-fapi-tolerate-unregistered-redirect-uri: it is refused': isPushedInVain(
    { redirect_uri: `${REDIRECT}/other` },
    'invalid_request',
  ),
  'ensure-unsigned-authorization-request-without-using-par-fails': (bank) => isRefusedWithoutPush(bank),
  'ensure-redirect-uri-in-authorization-request': (bank) =>
    isRefusedWithoutPush(bank, { redirect_uri: `${REDIRECT}/other` }),
  'ensure-response-type-code-idtoken-fails': isPushedInVain(
    { response_type: 'code id_token' },
    'unsupported_response_type',
  ),
  'ensure-response-type-token-fails': isPushedInVain({ response_type: 'token' }, 'unsupported_response_type'),
  'ensure-client-id-in-token-endpoint: another client’s is refused': async ({ bank, other }) => {
    const form = { ...(await bank.assertion()), client_id: other.clientId };
    invalid(await bank.redeem(await bank.code(), undefined, form), 'invalid_client', 'invalid_request');
  },
  'ensure-holder-of-key-required: no proof, no token': async ({ bank }) =>
    void invalid(
      await bank.redeem(await bank.code(), {}),
      'invalid_grant',
      'invalid_dpop_proof',
      'invalid_request',
    ),
  'ensure-authorization-code-is-bound-to-client': async ({ bank, other }) =>
    void invalid(await other.redeem(await bank.code()), 'invalid_grant'),
  'attempt-reuse-authorization-code-after-one-second: it ends the token of its first use': async ({
    bank,
  }) => {
    const code = await bank.code();
    const { body } = await bank.redeem(code);
    await later(1, async () => invalid(await bank.redeem(code), 'invalid_grant'));
    expect((await bank.userinfo(String(body.access_token))).status).to.equal(401);
  },
  'ensure-token-endpoint-fails-with-expired-auth-code': async ({ bank }) => {
    const code = await bank.code();
    await later(61, async () => invalid(await bank.redeem(code), 'invalid_grant'));
  },
  'ensure-signed-client-assertion-with-RS256-fails': async ({ rsaBank }) =>
    void invalid(await rsaBank.push(), 'invalid_client'),
  'ensure-client-assertion-in-token-endpoint: none, no token': async ({ bank }) => {
    const form = { client_id: bank.clientId };
    invalid(await bank.redeem(await bank.code(), undefined, form), 'invalid_client');
  },
  'ensure-client-assertion-with-exp-is-5-minutes-in-past-fails': assertion(
    () => ({ exp: now() - 300 }),
    'token',
  ),
  'ensure-client-assertion-with-wrong-aud-fails': assertion(() => ({ aud: 'https://other.test' }), 'token'),
  'ensure-client-assertion-with-no-sub-fails': assertion(() => ({ sub: undefined }), 'token'),
  'dpop-negative-tests: each way of a wrong proof is refused': async (bank) => {
    const { access: token } = await tokens(bank);
    const right = { token, method: 'GET' };
    const proofs = {
      'none at all': {},
      'of another method': await bank.bank.proof('/userinfo', { token, method: 'POST' }),
      'of another endpoint': await bank.bank.proof('/token', right),
      'without the token': await bank.bank.proof('/userinfo', { method: 'GET' }),
      'of an hour ago': await bank.bank.proof('/userinfo', { ...right, claims: { iat: now() - 3600 } }),
      'without jti': await bank.bank.proof('/userinfo', { ...right, claims: { jti: undefined } }),
      'by another key': await bank.bank.proof('/userinfo', { ...right, key: await keyPair() }),
    };
    for (const [what, proof] of Object.entries(proofs)) {
      const reply = await bank.bank.userinfo(token, { authorization: `DPoP ${token}`, ...proof });
      expect(reply.status, what).to.be.oneOf([400, 401]);
    }
  },
  'refresh-token: stays good, for its client and its key': async (bank) => {
    const { refresh } = await tokens(bank);
    for (const _ of [1, 2]) {
      const { body } = await bank.bank.refresh(refresh);
      expect((await bank.bank.userinfo(String(body.access_token))).status).to.equal(200);
    }
    invalid(await bank.other.refresh(refresh), 'invalid_grant');
  },
  'par-ensure-reused-request-uri-prior-to-auth-completion-succeeds': async ({ world, bank }) => {
    const { body } = await bank.push();
    const browser = new Browser(world);
    expect((await browser.open(bank.address(body.request_uri))).status).to.equal(200);
    browser.person = 'nora';
    const { url } = await browser.open(bank.address(body.request_uri));
    expect(url.searchParams.get('code')).to.be.a('string');
  },
  'par-attempt-reuse-request_uri: after the answer it is over': async ({ world, bank }) => {
    const { body } = await bank.push();
    const browser = new Browser(world, 'nora');
    await browser.open(bank.address(body.request_uri));
    const again = await browser.open(bank.address(body.request_uri));
    expect(again.url.searchParams.get('code')).to.equal(null);
  },
  'par-attempt-to-use-expired-request_uri': async ({ world, bank }) => {
    const { body } = await bank.push();
    const { url } = await later(Number(body.expires_in) + 1, () =>
      new Browser(world, 'nora').open(bank.address(body.request_uri)),
    );
    expect(url.searchParams.get('code')).to.equal(null);
  },
  'par-attempt-to-use-request_uri-for-different-client': async ({ world, bank, other }) => {
    const { body } = await bank.push();
    const { url } = await new Browser(world, 'nora').open(other.address(body.request_uri));
    expect(url.searchParams.get('code')).to.equal(null);
  },
  'par-authorization-request-containing-request_uri-form-param': isPushedInVain(
    { request_uri: 'urn:ietf:params:oauth:request_uri:other' },
    'invalid_request',
    'request_uri_not_supported',
  ),
  'par-attempt-invalid-http-method': async ({ world }) => {
    for (const method of ['GET', 'PUT', 'DELETE'])
      expect((await fetch(`${world.url}/par`, { method })).status, method).to.be.oneOf([400, 404, 405]);
  },
  'par-ensure-jwt-client-assertions-nbf-8-seconds-in-the-future-is-accepted': async ({ bank }) => {
    const ahead = { iat: now() + 8, nbf: now() + 8, exp: now() + 68 };
    expect((await bank.push({}, await bank.assertion({ claims: ahead }))).status).to.equal(201);
  },
  'par-ensure-jwt-client-assertions-nbf-over-60-seconds-in-the-future-fails': assertion(() => ({
    ...{ iat: now() + 61, nbf: now() + 61, exp: now() + 120 },
  })),
  'par-ensure-pkce-required': isPushedInVain(
    { code_challenge: undefined, code_challenge_method: undefined },
    'invalid_request',
  ),
  'ensure-pkce-code-verifier-required': async ({ bank }) => {
    const changes = { grant_type: 'authorization_code', code: await bank.code(), code_verifier: undefined };
    invalid(await bank.token(changes), 'invalid_grant', 'invalid_request');
  },
  'incorrect-pkce-code-verifier-rejected': async ({ bank }) => {
    const changes = {
      grant_type: 'authorization_code',
      code: await bank.code(),
      code_verifier: long.slice(0, 64),
    };
    invalid(await bank.token(changes), 'invalid_grant');
  },
  'par-plain-pkce-rejected': isPushedInVain({ code_challenge_method: 'plain' }, 'invalid_request'),
  'par-without-duplicate-parameters: client_id and request_uri are enough': async (bank) =>
    void expect((await answerTo(bank, {})).get('code')).to.be.a('string'),
  'par-test-array-as-audience-fails': assertion(({ issuer }) => ({ aud: [issuer] })),
  'par-test-par-endpoint-url-as-audience-fails': assertion(({ issuer }) => ({ aud: `${issuer}/par` })),
  'par-test-token-endpoint-url-as-audience-fails': assertion(({ issuer }) => ({ aud: `${issuer}/token` })),
};

export const MODULES = Object.entries(MODULES_BY_END).map(
  ([end, check]) => [`fapi2-security-profile-final-${end}`, check] as const,
);
