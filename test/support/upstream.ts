/**
 * A second OIDC provider that plays Google, Apple, two realms of a Keycloak, an Okta, tenants of an Entra and one that
 * nobody knows yet, each with its own issuer, keys and client: discovery,
 * JWKS, ID tokens on demand, userinfo, and the code flow with PKCE. It approves every authorization request at once,
 * as the person whom the test named with `nextPerson`.
 */
import { createHash, randomUUID } from 'node:crypto';
import { createServer, type IncomingMessage, type ServerResponse } from 'node:http';
import type { AddressInfo } from 'node:net';
import {
  type CryptoKey,
  exportJWK,
  exportPKCS8,
  generateKeyPair,
  type JWK,
  type JWTHeaderParameters,
  SignJWT,
} from 'jose';

/** Where each answers; what its preset says of issuers holds. */
const PATHS = {
  google: '/google',
  apple: '/apple',
  acme: '/acme',
  keycloak: '/realms/keycloak',
  ward: '/realms/ward',
  okta: '/oauth2/okta',
  entra: '/entra/{tenant}/v2.0',
} as const;
export type ProviderName = keyof typeof PATHS;
const NAMES: readonly ProviderName[] = ['google', 'apple', 'acme', 'keycloak', 'ward', 'okta', 'entra'];

/** The tenants of the Entra that Portico lets in. */
export const TENANTS = ['11111111-aaaa-4aaa-8aaa-111111111111', '22222222-bbbb-4bbb-8bbb-222222222222'];

export interface TestUpstream {
  /** e.g. `http://127.0.0.1:1234/google`, for federation.google.issuer. */
  readonly issuers: Readonly<Record<ProviderName, string>>;
  /** The clients that Portico is at the providers. */
  readonly clients: Readonly<Record<ProviderName, { clientId: string; clientSecret: string }>>;
  /** `federation` as the configuration wants it. */
  readonly federation: Readonly<Record<'google' | 'apple', Record<string, unknown>>>;
  /** `federation.openid` as the configuration wants it, of those that are entries of it. */
  readonly openid: Readonly<Record<'keycloak' | 'ward' | 'okta' | 'entra', Record<string, unknown>>>;
  /** All of `federation`. */
  readonly everyone: Record<string, Record<string, unknown>>;
  /**
   * An ID token of the provider: signed with its key, for Portico's client, an hour long, of a person whom
   * `claims` may change (also iss, aud, iat, exp). A claim that is undefined is left out.
   */
  signIdToken(provider: ProviderName, claims?: Record<string, unknown>, sign?: SignOptions): Promise<string>;
  /** Who signs in at the next authorization request; 'denied' answers it with access_denied. */
  nextPerson(provider: string, claims: Record<string, unknown> | 'denied', answer?: AnswerOptions): void;
  /** Changes the signing key; the old one is no longer published. */
  rotate(provider: ProviderName): Promise<void>;
  /** The issuer that the keys of the Entra say they are for; at first they do not say it. */
  signFor(issuer: string): void;
  /** Requests to paths ending in `path` (default: all of them), for counting fetches of the JWKS. */
  hits(path?: string): number;
  /** Refresh tokens: Apple alone gives some. */
  readonly given: readonly string[];
  readonly revoked: readonly string[];
  /** While true every request is answered with 503. */
  setDown(down: boolean): void;
  /** Seconds by which the Date of its answers is ahead. */
  setClock(ahead: number): void;
  close(): Promise<void>;
}

export interface SignOptions {
  readonly header?: Partial<JWTHeaderParameters>;
  readonly key?: CryptoKey | Uint8Array;
}

/** How the next sign-in goes, besides who it is. */
export interface AnswerOptions {
  /** Parameters beside the code, such as Apple's `user`. */
  readonly beside?: Readonly<Record<string, string>>;
  readonly sign?: SignOptions;
  /** What userinfo says; default: what the ID token says. */
  readonly userinfo?: Readonly<Record<string, unknown>>;
  /** What the token endpoint makes of the ID token. */
  readonly tampered?: (idToken: string) => string;
}

interface SigningKey {
  readonly privateKey: CryptoKey;
  readonly publicJwk: JWK;
  readonly kid: string;
}

interface PendingCode {
  readonly claims: Record<string, unknown>;
  readonly redirectUri: string;
  readonly challenge: string | null;
  readonly nonce: string | null;
  readonly answer: AnswerOptions;
}

interface Provider {
  readonly name: ProviderName;
  readonly issuer: string;
  readonly client: { clientId: string; clientSecret: string };
  key: SigningKey;
  /** As Entra names it in its key set. */
  keyIssuer?: string;
  person: Record<string, unknown> | 'denied' | undefined;
  answer: AnswerOptions;
  readonly codes: Map<string, PendingCode>;
  /** By access token. */
  readonly userinfo: Map<string, Readonly<Record<string, unknown>>>;
  readonly given: string[];
  readonly revoked: string[];
}

/** RSA keys cost a tenth of a second each: the first one of a process serves every upstream of it. */
let firstKey: Promise<SigningKey> | undefined;
let applePrivateKey: Promise<string> | undefined;

export async function startUpstream(): Promise<TestUpstream> {
  firstKey ??= makeKey();
  applePrivateKey ??= generateKeyPair('ES256', { extractable: true }).then(({ privateKey }) =>
    exportPKCS8(privateKey),
  );
  const [key, privateKey] = await Promise.all([firstKey, applePrivateKey]);
  const requests: string[] = [];
  let down = false;
  let ahead = 0;

  const server = createServer((request, response) => {
    requests.push(new URL(request.url ?? '/', 'http://upstream').pathname);
    if (ahead !== 0) response.setHeader('date', new Date(Date.now() + ahead * 1000).toUTCString());
    if (down) {
      response.writeHead(503).end();
      return;
    }
    answer(providers, request, response).catch((error: unknown) => {
      response.writeHead(500).end(String(error));
    });
  });
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
  const base = `http://127.0.0.1:${(server.address() as AddressInfo).port}`;
  const all = <T>(of: (name: ProviderName) => T): Record<ProviderName, T> => ({
    ...{ google: of('google'), apple: of('apple'), acme: of('acme'), keycloak: of('keycloak') },
    ...{ ward: of('ward'), okta: of('okta'), entra: of('entra') },
  });
  const providers = all((name) => newProvider(name, base, key));
  const each = <T>(of: (provider: Provider) => T) => all((name) => of(providers[name]));
  const entry = (name: 'keycloak' | 'okta' | 'entra', { client, issuer }: Provider) => ({
    ...{ preset: name, ...client, issuer, audiences: [client.clientId] },
    trustsEmail: ['gmail.com', 'hosted.test'],
  });

  const result: Omit<TestUpstream, 'everyone'> = {
    issuers: each(({ issuer }) => issuer),
    clients: each(({ client }) => client),
    federation: {
      google: {
        enabled: true,
        ...providers.google.client,
        issuer: providers.google.issuer,
        audiences: [providers.google.client.clientId],
      },
      apple: {
        enabled: true,
        clientId: providers.apple.client.clientId,
        teamId: 'TEAM000001',
        keyId: 'KEY0000001',
        privateKey,
        issuer: providers.apple.issuer,
        audiences: [providers.apple.client.clientId],
      },
    },
    openid: {
      keycloak: entry('keycloak', providers.keycloak),
      ward: entry('keycloak', providers.ward),
      okta: entry('okta', providers.okta),
      entra: { ...entry('entra', providers.entra), tenants: TENANTS },
    },
    signIdToken: (name, claims = {}, sign = {}) => signIdToken(providers[name], claims, sign),
    nextPerson(name, claims, answer = {}) {
      Object.assign(providers[nameOf(name)], { person: claims, answer });
    },
    async rotate(name) {
      providers[name].key = await makeKey();
    },
    signFor(issuer) {
      providers.entra.keyIssuer = issuer;
    },
    hits: (path = '') => requests.filter((requested) => requested.endsWith(path)).length,
    given: providers.apple.given,
    revoked: providers.apple.revoked,
    setDown(value) {
      down = value;
    },
    setClock(seconds) {
      ahead = seconds;
    },
    close: () =>
      new Promise((resolve) => {
        server.closeAllConnections();
        server.close(() => resolve());
      }),
  };
  return { ...result, everyone: { ...result.federation, openid: result.openid } };
}

function nameOf(text: string | undefined): ProviderName {
  const name = NAMES.find((known) => known === text);
  if (name === undefined) throw new Error(`There is no provider ${text}.`);
  return name;
}

function newProvider(name: ProviderName, base: string, key: SigningKey): Provider {
  return {
    name,
    issuer: `${base}${PATHS[name]}`,
    client: { clientId: `portico-at-${name}`, clientSecret: `secret-of-portico-at-${name}` },
    key,
    person: undefined,
    answer: {},
    codes: new Map(),
    userinfo: new Map(),
    ...{ given: [], revoked: [] },
  };
}

async function makeKey(): Promise<SigningKey> {
  const { privateKey, publicKey } = await generateKeyPair('RS256', { extractable: true });
  const kid = randomUUID();
  return { privateKey, kid, publicJwk: { ...(await exportJWK(publicKey)), kid, alg: 'RS256', use: 'sig' } };
}

function signIdToken(
  provider: Provider,
  claims: Record<string, unknown>,
  sign: SignOptions = {},
): Promise<string> {
  const now = Math.floor(Date.now() / 1000);
  const [tenant = ''] = TENANTS;
  const payload = {
    iss: provider.issuer.replace('{tenant}', tenant),
    ...(provider.name === 'entra' && { tid: tenant, xms_edov: claims.email_verified }),
    aud: provider.client.clientId,
    sub: `${provider.name}-person`,
    iat: now,
    exp: now + 3600,
    ...claims,
  };
  return new SignJWT(payload)
    .setProtectedHeader({ alg: 'RS256', kid: provider.key.kid, ...sign.header })
    .sign(sign.key ?? provider.key.privateKey);
}

/* ------------------------------------------------------------------ routes */

async function answer(
  providers: Record<ProviderName, Provider>,
  request: IncomingMessage,
  response: ServerResponse,
): Promise<void> {
  const url = new URL(request.url ?? '/', 'http://upstream');
  for (const name of NAMES) {
    const path = new RegExp(`^${PATHS[name].replace('{tenant}', '(?<tenant>[^/]+)')}/(?<route>.+)$`);
    const { tenant, route } = path.exec(url.pathname)?.groups ?? {};
    const provider = providers[name];
    if (route === undefined) continue;
    if (route === '.well-known/openid-configuration')
      return sendJson(response, 200, metadata(provider, tenant));
    if (route === 'jwks') {
      const { key, keyIssuer: issuer } = provider;
      return sendJson(response, 200, { keys: [{ ...key.publicJwk, issuer }] });
    }
    if (route === 'authorize') return authorize(provider, url.searchParams, response);
    if (route === 'token' && request.method === 'POST') return token(provider, request, response);
    if (route === 'revoke' && request.method === 'POST') return revoke(provider, request, response);
    if (route === 'userinfo') return userinfo(provider, request, response);
  }
  response.writeHead(404).end();
}

function metadata({ name, issuer }: Provider, tenant = ''): Record<string, unknown> {
  const at = issuer.replace('{tenant}', 'organizations');
  const several = tenant === 'organizations' || tenant === 'common';
  return {
    issuer: issuer.replace('{tenant}', several ? '{tenantid}' : tenant),
    authorization_endpoint: `${at}/authorize`,
    token_endpoint: `${at}/token`,
    revocation_endpoint: `${at}/revoke`,
    userinfo_endpoint: `${at}/userinfo`,
    jwks_uri: `${at}/jwks`,
    response_types_supported: ['code'],
    response_modes_supported: ['query', 'form_post'],
    subject_types_supported: ['public'],
    id_token_signing_alg_values_supported: ['RS256'],
    token_endpoint_auth_methods_supported: ['client_secret_post', 'client_secret_basic'],
    scopes_supported: ['openid', 'email', 'profile', 'name'],
    code_challenge_methods_supported: ['S256'],
    ...(NAMES_ISSUER.includes(name) && { authorization_response_iss_parameter_supported: true }),
  };
}

/** They say in the answer who gave the code (RFC 9207). */
const NAMES_ISSUER: readonly ProviderName[] = ['keycloak', 'ward'];

function userinfo(provider: Provider, request: IncomingMessage, response: ServerResponse): void {
  const [, accessToken = ''] = (request.headers.authorization ?? '').split(' ');
  const claims = provider.userinfo.get(accessToken);
  if (claims === undefined) response.writeHead(401, { 'www-authenticate': 'Bearer' }).end();
  else sendJson(response, 200, claims);
}

function authorize(provider: Provider, query: URLSearchParams, response: ServerResponse): void {
  const redirectUri = query.get('redirect_uri') ?? '';
  if (query.get('client_id') !== provider.client.clientId || query.get('response_type') !== 'code') {
    response.writeHead(400).end('unknown client or response type');
    return;
  }
  const person = provider.person ?? {};
  const { answer } = provider;
  Object.assign(provider, { person: undefined, answer: {} });
  const back = new URLSearchParams({ state: query.get('state') ?? '', ...answer.beside });
  if (NAMES_ISSUER.includes(provider.name) && !back.has('iss')) back.set('iss', provider.issuer);
  if (person === 'denied') {
    back.set('error', provider.name === 'apple' ? 'user_cancelled_authorize' : 'access_denied');
  } else {
    const code = randomUUID();
    provider.codes.set(code, {
      claims: person,
      redirectUri,
      challenge: query.get('code_challenge'),
      nonce: query.get('nonce'),
      answer,
    });
    back.set('code', code);
  }
  if (query.get('response_mode') === 'form_post') sendFormPost(response, redirectUri, back);
  else response.writeHead(302, { location: `${redirectUri}?${back}` }).end();
}

function sendFormPost(response: ServerResponse, action: string, fields: URLSearchParams): void {
  const inputs = [...fields].map(
    ([name, value]) => `<input type="hidden" name="${name}" value="${escaped(value)}">`,
  );
  response.writeHead(200, { 'content-type': 'text/html; charset=utf-8' });
  response.end(
    `<!doctype html><title>Signing in</title><form method="post" action="${escaped(action)}">${inputs.join('')}` +
      '<button>Continue</button></form><script>document.forms[0].submit()</script>',
  );
}

async function token(provider: Provider, request: IncomingMessage, response: ServerResponse): Promise<void> {
  const form = await formOf(request);
  const pending = provider.codes.get(form.get('code') ?? '');
  provider.codes.delete(form.get('code') ?? '');
  if (!isClient(provider, request, form)) return sendJson(response, 401, { error: 'invalid_client' });
  if (
    pending === undefined ||
    form.get('grant_type') !== 'authorization_code' ||
    form.get('redirect_uri') !== pending.redirectUri ||
    !rightVerifier(pending.challenge, form.get('code_verifier'))
  ) {
    return sendJson(response, 400, { error: 'invalid_grant' });
  }
  const nonce = pending.nonce === null ? {} : { nonce: pending.nonce };
  const { sign, tampered = (token: string) => token } = pending.answer;
  const idToken = tampered(await signIdToken(provider, { ...nonce, ...pending.claims }, sign));
  const accessToken = randomUUID();
  provider.userinfo.set(
    accessToken,
    pending.answer.userinfo ?? { sub: `${provider.name}-person`, ...pending.claims },
  );
  sendJson(response, 200, {
    access_token: accessToken,
    token_type: 'Bearer',
    expires_in: 3600,
    id_token: idToken,
    ...(provider.name === 'apple' && { refresh_token: newRefreshToken(provider) }),
  });
}

function newRefreshToken({ given }: Provider): string {
  given.push(`refresh-${randomUUID()}`);
  return given.at(-1) ?? '';
}

async function revoke(provider: Provider, request: IncomingMessage, response: ServerResponse): Promise<void> {
  const form = await formOf(request);
  if (!isClient(provider, request, form)) return sendJson(response, 401, { error: 'invalid_client' });
  if (form.get('token_type_hint') !== 'refresh_token' || form.get('token') === null)
    return sendJson(response, 400, { error: 'invalid_request' });
  provider.revoked.push(form.get('token') ?? '');
  response.writeHead(200).end();
}

async function formOf(request: IncomingMessage): Promise<URLSearchParams> {
  const chunks: Buffer[] = [];
  for await (const chunk of request) chunks.push(chunk as Buffer);
  return new URLSearchParams(Buffer.concat(chunks).toString('utf8'));
}

/** A secret is a text; Apple's is a JWT that names the client in `sub`. */
function isClient(provider: Provider, request: IncomingMessage, form: URLSearchParams): boolean {
  const [scheme, basic = ''] = (request.headers.authorization ?? '').split(' ');
  const [id, secret] =
    scheme === 'Basic'
      ? Buffer.from(basic, 'base64').toString('utf8').split(':').map(decodeURIComponent)
      : [form.get('client_id'), form.get('client_secret')];
  if (id !== provider.client.clientId || typeof secret !== 'string') return false;
  if (provider.name !== 'apple') return secret === provider.client.clientSecret;
  const payload = JSON.parse(Buffer.from(secret.split('.')[1] ?? '', 'base64url').toString('utf8') || '{}');
  return payload.sub === provider.client.clientId && payload.iss === 'TEAM000001';
}

function rightVerifier(challenge: string | null, verifier: string | null): boolean {
  if (challenge === null) return verifier === null;
  return (
    createHash('sha256')
      .update(verifier ?? '')
      .digest('base64url') === challenge
  );
}

function sendJson(response: ServerResponse, status: number, body: unknown): void {
  response.writeHead(status, { 'content-type': 'application/json', 'cache-control': 'no-store' });
  response.end(JSON.stringify(body));
}

function escaped(text: string): string {
  return text.replaceAll('&', '&amp;').replaceAll('"', '&quot;').replaceAll('<', '&lt;');
}
