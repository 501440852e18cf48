/**
 * What the modules of the official suite have in common: the clients of docs/certify.md, an authorization
 * request without PKCE, and the checks that every answer has to pass.
 */
import { randomBytes } from 'node:crypto';
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { expect } from 'chai';
import { createRemoteJWKSet, type JWTPayload, jwtVerify } from 'jose';
import { readPage } from '../cli/page-commands.ts';
import { basicAuth, type TestClient } from '../support/clients.ts';
import { asksForPassword } from '../support/relying-party.ts';
import { startTestServer, type TestServer, type TestServerOptions } from '../support/server.ts';
import { openWebSession, type Page, type WebSession } from '../support/web-session.ts';

export const CALLBACK = 'https://localhost:8443/test/a/portico/callback';
export const POST_LOGOUT = 'https://localhost:8443/test/a/portico/post_logout_redirect';
const ADA = { login: 'ada@harbour.example', password: 'pebble lighthouse walnut ferry' };

const client = (clientId: string, secret: string): TestClient => ({
  ...{ clientId, secret, redirectUri: CALLBACK, postLogoutRedirectUri: POST_LOGOUT },
});
export const FIRST = client('conformance-1', 'timber violet anchor 63');
export const SECOND = client('conformance-2', 'gravel comet ribbon 22');
export const POSTS: TestClient = {
  ...client('conformance-post', 'meadow falcon copper 94'),
  secretIn: 'body',
};

export type Parameters = Readonly<Record<string, string | undefined>>;

/** What came of an authorization request: an answer at the callback, or the page at which it ended. */
export interface Outcome {
  readonly answer?: Readonly<Record<string, string>>;
  readonly page?: Page;
  /** The pages on the way that asked for something. */
  readonly asked: readonly Page[];
  readonly nonce: string | undefined;
}

export interface Authorized {
  readonly code: string;
  readonly asked: readonly Page[];
}

export interface SignedIn extends Authorized {
  readonly accessToken: string;
  readonly refreshToken: string;
  readonly idToken: string;
  readonly claims: JWTPayload;
}

interface Request {
  /** Default: one in which Ada is signed in, once a module has begun in it. */
  readonly browser?: WebSession;
  readonly client?: TestClient;
  readonly method?: 'GET' | 'POST';
}

export type Suite = ReturnType<typeof suiteAgainst>;

export async function startSuite(config: TestServerOptions['config'] = {}): Promise<{
  server: TestServer;
  suites: Readonly<Record<ResponseMode, Suite>>;
}> {
  const [, seed = ''] = /^```yaml\n(.*?)^```$/ms.exec(readPage('certify.md')) ?? [];
  const folder = mkdtempSync(path.join(tmpdir(), 'portico-certification-'));
  const file = path.join(folder, 'clients.yaml');
  writeFileSync(file, seed);
  const server = await startTestServer({ seeds: [file], config });
  rmSync(folder, { recursive: true });
  const metadata = await (await fetch(`${server.issuer}/.well-known/openid-configuration`)).json();
  const of = (mode: ResponseMode) => suiteAgainst(server, metadata as Metadata, mode);
  return { server, suites: { query: of('query'), form_post: of('form_post') } };
}

export type ResponseMode = 'query' | 'form_post';

export interface Metadata extends Readonly<Record<string, unknown>> {
  readonly id_token_signing_alg_values_supported: readonly string[];
  readonly acr_values_supported: readonly string[];
}

function suiteAgainst({ issuer }: TestServer, metadata: Metadata, mode: ResponseMode) {
  const keys = createRemoteJWKSet(new URL(`${issuer}/jwks`));
  const usual = openWebSession();

  /** Asks, answers each page as Ada does, and checks the state and the issuer of the answer. */
  async function ask(parameters: Parameters = {}, request: Request = {}): Promise<Outcome> {
    const { browser = usual, client: { clientId } = FIRST, method = 'GET' } = request;
    const state = randomBytes(64).toString('hex');
    const query = known({
      ...{ client_id: clientId, redirect_uri: CALLBACK, response_type: 'code', scope: 'openid' },
      ...{ state, nonce: randomBytes(32).toString('base64url') },
      ...(mode === 'form_post' && { response_mode: mode }),
      ...parameters,
    });
    const asked: Page[] = [];
    let at = await begin(browser, new URLSearchParams(query), method);
    for (let pages = 0; pages < 4 && isQuestion(at); pages += 1) {
      asked.push(at);
      at = await browser.submit(at, asksForPassword(at) ? ADA : {}, { until: [CALLBACK] });
    }
    const answer = answerIn(at);
    if (answer) {
      if (query.state !== undefined) expect(answer.state).to.equal(state);
      expect(answer.iss).to.equal(issuer);
    }
    return {
      ...(answer && { answer }),
      ...(typeof at !== 'string' && { page: at }),
      asked,
      nonce: query.nonce,
    };
  }

  async function begin(browser: WebSession, query: URLSearchParams, method: 'GET' | 'POST') {
    const address = `${issuer}/authorize`;
    if (method === 'GET') return browser.open(`${address}?${query}`, [CALLBACK]);
    const form = { action: address, method: 'post' as const, fields: Object.fromEntries(query), names: [] };
    const page = { url: CALLBACK, status: 200, headers: new Headers(), body: '', forms: [form] };
    return browser.submit(page, {}, { until: [CALLBACK] });
  }

  /** With form_post the answer has to be posted, and with query it has to be in the query. */
  function answerIn(at: Page | string): Record<string, string> | undefined {
    if (typeof at === 'string') {
      expect(mode, `an answer at ${at}`).to.equal('query');
      return Object.fromEntries(new URL(at).searchParams);
    }
    const form = at.forms.find(({ action }) => action === CALLBACK);
    if (form) expect([mode, form.method]).to.deep.equal(['form_post', 'post']);
    return form?.fields;
  }

  async function token(form: Parameters, client: TestClient = FIRST) {
    const { clientId, secret, secretIn } = client;
    const inBody = secretIn === 'body';
    const reply = await fetch(`${issuer}/token`, {
      method: 'POST',
      headers: inBody ? {} : { authorization: basicAuth(client) },
      body: new URLSearchParams(
        known({ ...form, ...(inBody && { client_id: clientId, client_secret: secret }) }),
      ),
    });
    expect(reply.headers.get('content-type')).to.match(/^application\/json\b/);
    return {
      status: reply.status,
      headers: reply.headers,
      body: (await reply.json()) as Record<string, string>,
    };
  }

  const redeem = (code: string, client?: TestClient) =>
    token({ grant_type: 'authorization_code', code, redirect_uri: CALLBACK }, client);

  /** Only a good signature, the issuer, the client, the times and the nonce make an ID token good. */
  async function judge(idToken: string, clientId: string, nonce?: string): Promise<JWTPayload> {
    const { payload } = await jwtVerify(idToken, keys, {
      ...{ issuer, audience: clientId, requiredClaims: ['sub', 'exp', 'iat'], clockTolerance: 5 },
      algorithms: [...metadata.id_token_signing_alg_values_supported],
    });
    expect(payload.nonce).to.equal(nonce);
    return payload;
  }

  async function authorize(parameters: Parameters = {}, request: Request = {}) {
    const { answer, asked, nonce, page } = await ask(parameters, request);
    if (answer?.code === undefined) throw new Error(`no code: ${JSON.stringify(answer)} ${page?.body}`);
    return { code: answer.code, asked, nonce };
  }

  async function signIn(parameters: Parameters = {}, request: Request = {}): Promise<SignedIn> {
    const client = request.client ?? FIRST;
    const { code, asked, nonce } = await authorize(parameters, request);
    const { status, body } = await redeem(code, client);
    expect(status, JSON.stringify(body)).to.equal(200);
    const { access_token: accessToken = '', refresh_token: refreshToken = '', id_token: idToken = '' } = body;
    expect(body.token_type?.toLowerCase()).to.equal('bearer');
    expect(body.expires_in).to.be.greaterThan(0);
    const claims = await judge(idToken, client.clientId, nonce);
    return { code, asked, accessToken, refreshToken, idToken, claims };
  }

  async function userinfo(accessToken: string, request: RequestInit = {}): Promise<Record<string, unknown>> {
    const reply = await fetch(`${issuer}/userinfo`, {
      headers: { authorization: `Bearer ${accessToken}` },
      ...request,
    });
    expect(reply.status).to.equal(200);
    return (await reply.json()) as Record<string, unknown>;
  }

  return { issuer, metadata, mode, ask, authorize, signIn, redeem, token, judge, userinfo };
}

function known(parameters: Parameters): Record<string, string> {
  const given = Object.entries(parameters).filter((each): each is [string, string] => each[1] !== undefined);
  return Object.fromEntries(given);
}

/** One that answers to the callback is none. */
function isQuestion(at: Page | string): at is Page {
  return typeof at !== 'string' && at.status === 200 && at.forms.some(({ action }) => action !== CALLBACK);
}

export function passwordsAsked({ asked }: { asked: readonly Page[] }): number {
  return asked.filter(asksForPassword).length;
}
