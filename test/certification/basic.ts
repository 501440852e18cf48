/** The modules of the plans "basic" and "formpost-basic", by name. */
import { createHash, randomBytes } from 'node:crypto';
import { mock } from 'node:test';
import { expect } from 'chai';
import { decodeProtectedHeader } from 'jose';
import { openWebSession, type Page } from '../support/web-session.ts';
import { CALLBACK, FIRST, type Parameters, POSTS, passwordsAsked, SECOND, type Suite } from './suite.ts';

/** The claims that Ada has of each standard scope (OpenID Connect Core 5.4). */
const CLAIMS = {
  profile: [
    ...['name', 'family_name', 'given_name', 'middle_name', 'nickname', 'preferred_username', 'profile'],
    ...['picture', 'website', 'gender', 'birthdate', 'zoneinfo', 'locale', 'updated_at'],
  ],
  email: ['email', 'email_verified'],
  address: ['address'],
  phone: ['phone_number', 'phone_number_verified'],
};
type Scope = keyof typeof CLAIMS;

/** By the name and the intent of each; one fails by throwing. */
export const MODULES: Readonly<Record<string, (suite: Suite) => Promise<void>>> = {
  'oidcc-server: a whole sign-in, whose ID token tells nothing that was not asked for': async (suite) => {
    const { accessToken, code, idToken, claims } = await suite.signIn();
    expect(code.length).to.be.at.least(22);
    expect(claims).to.not.have.any.keys(...Object.values(CLAIMS).flat());
    const { alg = '' } = decodeProtectedHeader(idToken);
    const hash = createHash(`sha${alg.slice(2)}`)
      .update(accessToken)
      .digest();
    const half = hash.subarray(0, hash.length / 2).toString('base64url');
    expect(claims.at_hash ?? half).to.equal(half);
    expect(await suite.userinfo(accessToken)).to.deep.equal({ sub: claims.sub });
  },

  'oidcc-response-type-missing: a request without response_type gets an error': async (suite) => {
    const { answer, page } = await suite.ask({ response_type: undefined });
    if (answer) expect(answer.error).to.be.oneOf(['invalid_request', 'unsupported_response_type']);
    else expect(page?.body).to.contain('response_type');
  },

  'oidcc-userinfo-get: userinfo answers GET': async (suite) => {
    const { accessToken, claims } = await suite.signIn();
    expect(await suite.userinfo(accessToken)).to.include({ sub: claims.sub });
  },

  'oidcc-userinfo-post-header: userinfo answers POST with the token in the header': async (suite) => {
    const { accessToken, claims } = await suite.signIn();
    const headers = { authorization: `Bearer ${accessToken}` };
    expect(await suite.userinfo(accessToken, { method: 'POST', headers })).to.include({ sub: claims.sub });
  },

  'oidcc-userinfo-post-body: userinfo answers POST with the token in the body': async (suite) => {
    const { accessToken, claims } = await suite.signIn();
    const request = { method: 'POST', headers: {}, body: new URLSearchParams({ access_token: accessToken }) };
    expect(await suite.userinfo(accessToken, request)).to.include({ sub: claims.sub });
  },

  'oidcc-ensure-request-without-nonce-succeeds-for-code-flow: a nonce is not needed': async (suite) => {
    const { claims } = await suite.signIn({ nonce: undefined });
    expect(claims).to.not.have.property('nonce');
  },

  'oidcc-scope-profile: userinfo has the claims of profile alone': (suite) => asksFor(suite, ['profile']),
  'oidcc-scope-email: userinfo has the claims of email alone': (suite) => asksFor(suite, ['email']),
  'oidcc-scope-address: userinfo has the claims of address alone': (suite) => asksFor(suite, ['address']),
  'oidcc-scope-phone: userinfo has the claims of phone alone': (suite) => asksFor(suite, ['phone']),
  'oidcc-scope-all: userinfo has the claims of all four': (suite) =>
    asksFor(suite, ['profile', 'email', 'address', 'phone']),

  'oidcc-alternate-happy-flow: the order of scopes and of parameters does not matter': (suite) =>
    asksFor(suite, ['email'], (scope) => {
      const reversed = scope.split(' ').reverse().join(' ');
      const first = { scope: undefined, redirect_uri: undefined, client_id: undefined };
      return { ...first, scope: reversed, redirect_uri: CALLBACK, client_id: FIRST.clientId };
    }),

  'oidcc-display-page: display=page is no error': (suite) => succeeds(suite, { display: 'page' }),
  'oidcc-display-popup: display=popup is no error': (suite) => succeeds(suite, { display: 'popup' }),

  'oidcc-prompt-login: prompt=login asks again, and auth_time is later': async (suite) => {
    const { first, second } = await twice(suite, { second: { prompt: 'login' }, after: 1_000 });
    expect(passwordsAsked(second)).to.equal(1);
    expect(later(second.claims.auth_time, first.claims.auth_time)).to.equal(true);
  },

  'oidcc-prompt-none-not-logged-in: prompt=none says that a page is needed': async (suite) => {
    const { answer, asked } = await suite.ask({ prompt: 'none' }, { browser: openWebSession() });
    expect(answer?.error).to.equal('login_required');
    expect(answer).to.have.all.keys('error', 'error_description', 'state', 'iss');
    expect(asked).to.deep.equal([]);
  },

  'oidcc-prompt-none-logged-in: prompt=none knows the person who is signed in': async (suite) =>
    sameAgain(await twice(suite, { second: { prompt: 'none' } })),

  'oidcc-max-age-1: max_age=1 asks again two seconds later': async (suite) => {
    const { first, second } = await twice(suite, { second: { max_age: '1' }, after: 2_000 });
    expect(passwordsAsked(second)).to.equal(1);
    expect(second.claims.auth_time).to.be.a('number');
    expect(later(second.claims.auth_time, first.claims.auth_time)).to.equal(true);
  },

  'oidcc-max-age-10000: max_age=10000 asks nothing, and auth_time stays': async (suite) => {
    const both = await twice(suite, { first: { max_age: '15000' }, second: { max_age: '10000' } });
    expect(both.first.claims.auth_time).to.be.a('number');
    expect(both.second.claims.auth_time).to.be.a('number');
    sameAgain(both);
  },

  'oidcc-ensure-request-with-unknown-parameter-succeeds: a strange parameter is no error': (suite) =>
    succeeds(suite, { extra: 'foobar' }),

  'oidcc-id-token-hint: prompt=none with id_token_hint knows the person': async (suite) =>
    sameAgain(await twice(suite, { second: ({ idToken }) => ({ prompt: 'none', id_token_hint: idToken }) })),

  'oidcc-login-hint: login_hint is no error': (suite) =>
    succeeds(suite, { login_hint: 'buffy@harbour.example' }),
  'oidcc-ui-locales: ui_locales is no error, whether it is spoken or not': (suite) =>
    succeeds(suite, { ui_locales: 'se' }),
  'oidcc-claims-locales: claims_locales is no error': (suite) => succeeds(suite, { claims_locales: 'se' }),

  'oidcc-ensure-request-with-acr-values-succeeds: the ID token has one of the acr_values': async (suite) => {
    const values = suite.metadata.acr_values_supported;
    const { claims } = await suite.signIn({ acr_values: values.join(' ') });
    expect(claims.acr).to.be.oneOf([...values]);
  },

  'oidcc-codereuse: a code is refused at once the second time': async (suite) => {
    const { code } = await suite.signIn();
    const { status, body } = await suite.redeem(code);
    expect([status, body.error]).to.deep.equal([400, 'invalid_grant']);
  },

  'oidcc-codereuse-30seconds: and after 30 seconds, which ends what it gave': async (suite) => {
    const { accessToken, code } = await suite.signIn();
    await inFuture(30_000, async () => {
      const { status, body } = await suite.redeem(code);
      expect([status, body.error]).to.deep.equal([400, 'invalid_grant']);
      const headers = { authorization: `Bearer ${accessToken}` };
      const reply = await fetch(`${suite.issuer}/userinfo`, { headers });
      expect(reply.status).to.equal(401);
    });
  },

  'oidcc-ensure-registered-redirect-uri: an unregistered redirect URI gets a page': async (suite) =>
    refusesAddress(await suite.ask({ redirect_uri: `${CALLBACK}/${randomBytes(8).toString('hex')}` })),

  'oidcc-ensure-post-request-succeeds: the authorization endpoint takes POST': async (suite) => {
    const { claims } = await suite.signIn({}, { method: 'POST' });
    expect(claims.sub).to.be.a('string');
  },

  'oidcc-server-client-secret-post: a client sends its secret in the body': async (suite) => {
    const { accessToken, claims } = await suite.signIn({}, { client: POSTS });
    expect(await suite.userinfo(accessToken)).to.deep.equal({ sub: claims.sub });
  },

  'oidcc-unsigned-request-object-supported-correctly-or-rejected-as-unsupported: it is refused': async (
    suite,
  ) => {
    const { answer } = await suite.ask(inObject(suite));
    expect(answer).to.include({ error: 'request_not_supported', state: 'of the object' });
  },

  'oidcc-claims-essential: an essential claim comes in userinfo, and not in the ID token': async (suite) => {
    const claims = JSON.stringify({ userinfo: { name: { essential: true } } });
    const { accessToken, claims: known } = await suite.signIn({ claims });
    expect(await suite.userinfo(accessToken)).to.deep.equal({ sub: known.sub, name: 'Ada M Lindgren' });
    expect(known).to.not.have.property('name');
  },

  'oidcc-ensure-request-object-with-redirect-uri: one outside it that is not registered gets a page': async (
    suite,
  ) => refusesAddress(await suite.ask(inObject(suite, { redirect_uri: `${CALLBACK}_invalid` }))),

  'oidcc-refresh-token: refreshes for its own client alone, and the person stays the same': async (suite) => {
    const offline = { scope: 'openid offline_access', prompt: 'consent' };
    const refresh = (refreshToken: string, client = FIRST) =>
      suite.token({ grant_type: 'refresh_token', refresh_token: refreshToken }, client);
    const { accessToken, claims, refreshToken } = await suite.signIn(offline);
    expect(refreshToken).to.match(/^[\x20-\x7e]{22,}$/);
    const { body, headers, status } = await refresh(refreshToken);
    expect([status, headers.get('cache-control')]).to.deep.equal([200, 'no-store']);
    const renewed = await suite.judge(body.id_token ?? '', FIRST.clientId, String(claims.nonce));
    for (const name of ['iss', 'sub', 'aud', 'auth_time']) expect(renewed[name]).to.equal(claims[name]);
    expect(body.access_token).to.not.equal(accessToken);
    expect(await suite.userinfo(body.access_token ?? '')).to.include({ sub: claims.sub });

    const other = await suite.signIn(offline, { client: SECOND });
    const stolen = await refresh(other.refreshToken);
    expect([stolen.status, stolen.body.error]).to.deep.equal([400, 'invalid_grant']);
  },

  'oidcc-ensure-request-with-valid-pkce-succeeds: PKCE works': async (suite) => {
    const verifier = randomBytes(32).toString('base64url');
    const { code } = await suite.authorize({
      code_challenge: createHash('sha256').update(verifier).digest('base64url'),
      code_challenge_method: 'S256',
    });
    const { status } = await suite.token({
      ...{ grant_type: 'authorization_code', code, redirect_uri: CALLBACK, code_verifier: verifier },
    });
    expect(status).to.equal(200);
  },
};

async function succeeds(suite: Suite, parameters: Parameters): Promise<void> {
  const { asked, claims } = await suite.signIn(parameters, { browser: openWebSession() });
  expect(passwordsAsked({ asked })).to.equal(1);
  expect(claims.sub).to.be.a('string');
}

/** Userinfo has exactly the claims of these scopes, and the ID token has none of them. */
async function asksFor(
  suite: Suite,
  scopes: readonly Scope[],
  written = (scope: string): Parameters => ({ scope }),
): Promise<void> {
  const { accessToken, claims } = await suite.signIn(written(['openid', ...scopes].join(' ')));
  const expected = scopes.flatMap((scope) => CLAIMS[scope]);
  expect(await suite.userinfo(accessToken)).to.have.all.keys('sub', ...expected);
  expect(claims).to.not.have.any.keys(...expected);
}

type SignedIn = Awaited<ReturnType<Suite['signIn']>>;

interface Twice {
  readonly first?: Parameters;
  readonly second: Parameters | ((first: SignedIn) => Parameters);
  /** Milliseconds between them. */
  readonly after?: number;
}

/** Two sign-ins in one browser. */
async function twice(suite: Suite, { first: parameters = {}, second, after = 0 }: Twice) {
  const browser = openWebSession();
  const first = await suite.signIn(parameters, { browser });
  const again = typeof second === 'function' ? second(first) : second;
  return { first, second: await inFuture(after, () => suite.signIn(again, { browser })) };
}

function sameAgain({ first, second }: Awaited<ReturnType<typeof twice>>): void {
  expect(passwordsAsked(first)).to.equal(1);
  expect(second.asked).to.deep.equal([]);
  expect(second.claims.sub).to.equal(first.claims.sub);
  expect(second.claims.auth_time).to.equal(first.claims.auth_time);
}

/** A client may go without auth_time. */
function later(second: unknown, first: unknown): boolean {
  return first === undefined || second === undefined || Number(second) > Number(first);
}

/** The server's clock and the client's are the same one here. */
async function inFuture<T>(milliseconds: number, check: () => Promise<T>): Promise<T> {
  if (milliseconds === 0) return check();
  mock.timers.enable({ apis: ['Date'], now: Date.now() + milliseconds });
  try {
    return await check();
  } finally {
    mock.timers.reset();
  }
}

/** The request as an unsigned request object; outside it stands only what OAuth 2 and OpenID Connect demand there. */
function inObject({ mode }: Suite, outside: Parameters = {}): Parameters {
  const object = {
    ...{ client_id: FIRST.clientId, redirect_uri: CALLBACK, response_type: 'code', scope: 'openid' },
    ...{ state: 'of the object', nonce: 'n', ...(mode === 'form_post' && { response_mode: mode }) },
  };
  const parts = [{ alg: 'none' }, object].map((part) =>
    Buffer.from(JSON.stringify(part)).toString('base64url'),
  );
  return {
    ...{ request: `${parts.join('.')}.`, state: undefined, nonce: undefined, response_mode: undefined },
    ...outside,
  };
}

function refusesAddress({ answer, page }: { answer?: object; page?: Page }): void {
  expect(answer).to.equal(undefined);
  expect(page?.status).to.equal(400);
  expect(page?.body).to.contain('is not registered for it');
}
