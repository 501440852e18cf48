/**
 * A small installation of the OIDC server for its own tests: a real HTTP server on port 0, the embedded
 * store in a folder of its own, two organizations with people and clients, and in place of the pages one
 * route that finishes an interaction as the person whom the request names.
 */
import { once } from 'node:events';
import { mkdtemp, rm } from 'node:fs/promises';
import http from 'node:http';
import type { AddressInfo } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { CookieJar } from 'tough-cookie';
import { type ConfigInput, configSchema } from '../../src/config/schema.ts';
import { systemClock } from '../../src/core/clock.ts';
import { secretsFrom } from '../../src/core/crypto.ts';
import { createFastLane } from '../../src/http/fast-lane.ts';
import { createRequestLog } from '../../src/http/middleware/request-log.ts';
import { createOriginReader } from '../../src/http/middleware/trusted-proxies.ts';
import { createUnfinishedRequests } from '../../src/http/middleware/unfinished-requests.ts';
import { createBudgets } from '../../src/identity/rate-limits/budgets.ts';
import { createAttempts } from '../../src/identity/rate-limits/sign-in-attempts.ts';
import type { ApiRecord } from '../../src/model/api.ts';
import type { AuditRecord } from '../../src/model/audit-event.ts';
import type { ClientRecord } from '../../src/model/client.ts';
import type { Json } from '../../src/model/json.ts';
import { createLog } from '../../src/observe/log.ts';
import { ACR, InteractionGone, type OidcServer } from '../../src/oidc/contract.ts';
import type { ProviderPages } from '../../src/oidc/page-contract.ts';
import { createOidcServer } from '../../src/oidc/server/server.ts';
import { openStores } from '../../src/store/open-stores.ts';
import type { Stores } from '../../src/store/ports/stores.ts';

export const REDIRECT = 'https://app.test/callback';
export const API = 'https://api.test/records';
export const OTHER_API = 'https://api.test/billing';

const KEY = Buffer.alloc(32, 7);

export interface World {
  readonly url: string;
  readonly issuer: string;
  readonly oidc: OidcServer;
  readonly stores: Stores;
  readonly audit: Omit<AuditRecord, 'at'>[];
  readonly file: string;
  readonly port: number;
  putClient(client: TestClient): Promise<void>;
  putApi(api: Pick<ApiRecord, 'id'> & Partial<ApiRecord> & { readonly secret?: string }): Promise<void>;
  close(): Promise<void>;
}

export interface TestClient {
  readonly clientId: string;
  readonly secret?: string;
  readonly organization?: string;
  readonly traits?: Partial<ClientRecord>;
  readonly metadata?: Record<string, Json>;
}

/** `beside`: another node on the same store. */
export async function openWorld(
  options: {
    issuer?: string;
    oidc?: ConfigInput['oidc'];
    config?: Partial<ConfigInput>;
    beside?: World;
    /** As where records and leases lie in two places. */
    inSteps?: boolean;
  } = {},
): Promise<World> {
  const folder = options.beside ? undefined : await mkdtemp(join(tmpdir(), 'portico-oidc-'));
  const file = options.beside?.file ?? join(String(folder), 'portico.db');
  const log = createLog({ level: 'silent' });
  const stores = await openStores({ ...configSchema.parse({}).store, embedded: { file } }, { log });
  await stores.migrate();
  if (options.inSteps) for (const name of ['rotate', 'redeem'] as const) delete stores.oidcRecords[name];
  const secrets = secretsFrom(KEY);
  const audit: Omit<AuditRecord, 'at'>[] = [];

  let oidc: OidcServer | undefined;
  const longWay = (request: http.IncomingMessage, response: http.ServerResponse) => {
    if (oidc) answer({ oidc, stores }, request, response).catch((error) => response.destroy(error));
  };
  // As in the real server.
  const fastLane = createFastLane(
    {
      begin: createRequestLog({ log, clock: systemClock, unfinished: createUnfinishedRequests(log) }),
      readOrigin: createOriginReader([]),
      headers: [['Cache-Control', 'no-store']],
    },
    longWay,
  );
  const server = http.createServer((request, response) => {
    const route = oidc?.fastRoute(request.method ?? '', request.url ?? '');
    if (route === undefined) longWay(request, response);
    else fastLane(route, request, response);
  });
  server.listen(0, '127.0.0.1');
  await once(server, 'listening');
  const { port } = server.address() as AddressInfo;
  const issuer = options.issuer ?? options.beside?.issuer ?? `http://127.0.0.1:${port}`;
  const config = configSchema.parse({
    environment: 'test',
    issuer,
    ...options.config,
    oidc: {
      ...options.oidc,
      resources: [
        { identifier: API, scopes: ['records:read', 'records:write'], open: true },
        { identifier: OTHER_API, scopes: ['billing:read'], open: true },
        { identifier: 'https://api.test/opaque', scopes: ['opaque:read'], format: 'opaque', open: true },
        { identifier: 'https://api.test/south', scopes: ['south:read'], organization: 'south', open: true },
      ],
    },
  });
  oidc = await createOidcServer({
    ...{ config, issuer, stores, secrets, log },
    clock: systemClock,
    audit: { write: (record) => void audit.push(record) },
    cookieKeys: ['a cookie key for tests, long enough'],
    pages: plainPages,
    attempts: createAttempts({
      store: stores.rateLimits,
      budgets: createBudgets({ store: stores.rateLimits, clock: systemClock }),
      clock: systemClock,
      limits: config.attempts,
      secrets,
    }),
  });
  const provider = oidc;
  provider.askDialects({
    describeApiKey: async () => undefined,
    isApiKey: () => false,
    admitsToken: async (dialect, account) => dialect === 'visits' && account.status !== 'blocked',
    offerToken: async (dialect) =>
      dialect === 'visits'
        ? {
            ...{ clientId: 'visits-legacy', scope: 'visits' },
            access: { value: 'jwt', lifetime: 900, audience: 'https://visits.test', claims: { kind: 'v' } },
          }
        : undefined,
  });

  const world: World = {
    ...{ url: `http://127.0.0.1:${port}`, issuer, oidc, stores, audit, file, port },
    putClient: ({ clientId, secret, organization = 'north', traits, metadata = {} }) =>
      stores.clients.put({
        clientId,
        organization,
        ...(secret !== undefined && { secretHash: secrets.hmac('client-secret', secret) }),
        allOrganizations: false,
        firstParty: false,
        introspects: [],
        revokes: [],
        metadata: { redirect_uris: [REDIRECT], ...metadata },
        ...traits,
      }),
    async putApi({ secret, ...api }) {
      const hash = secret === undefined ? {} : { secretHash: secrets.hmac('client-secret', secret) };
      const identifier = `https://${api.id}.test`;
      const defaults = { identifier, scopes: {}, format: 'jwt', algorithm: 'ES256' } as const;
      if ((await stores.apis.put({ ...defaults, ...api, ...hash })) !== 'stored') throw new Error(api.id);
    },
    async close() {
      await provider.close();
      server.closeAllConnections();
      server.close();
      await stores.close();
      if (folder) await rm(folder, { recursive: true, force: true });
    },
  };
  if (!options.beside) await populate(world);
  return world;
}

/** Nora and Otto belong to the north, Sara to the south. */
async function populate(world: World): Promise<void> {
  const { stores } = world;
  const now = new Date('2030-01-01T00:00:00Z');
  await stores.organizations.put({ id: 'north', name: 'North', hosts: [], vendor: {} });
  await stores.organizations.put({ id: 'south', name: 'South', hosts: [], vendor: {} });
  for (const [id, organization] of [
    ['nora', 'north'],
    ['otto', 'north'],
    ['sara', 'south'],
  ] as const) {
    await stores.accounts.insert({
      ...{ id, organization, status: 'active', emailVerified: true, email: `${id}@${organization}.test` },
      ...{ username: id, claims: { name: `${id} of the ${organization}`, phone_number: '+4712345678' } },
      ...{ roles: ['nurse'], aliases: {}, vendor: {}, createdAt: now, updatedAt: now, version: 1 },
    });
  }
  const code = ['authorization_code', 'refresh_token'];
  await world.putClient({
    clientId: 'web',
    secret: 'web-secret',
    traits: { firstParty: true },
    metadata: { grant_types: code },
  });
  await world.putClient({
    clientId: 'third-party',
    secret: 'third-secret',
    metadata: { grant_types: code, client_name: 'Third' },
  });
  await world.putClient({
    clientId: 'spa',
    traits: { firstParty: true },
    metadata: { grant_types: code, token_endpoint_auth_method: 'none' },
  });
  await world.putClient({
    clientId: 'south-web',
    secret: 'south-secret',
    organization: 'south',
    traits: { firstParty: true },
    metadata: { grant_types: code },
  });
  const machine = { grant_types: ['client_credentials'], response_types: [], redirect_uris: [] };
  await world.putClient({ clientId: 'machine', secret: 'machine-secret', metadata: machine });
  await world.putClient({
    clientId: 'records-api',
    secret: 'records-secret',
    traits: { introspects: ['web', 'spa', 'machine', 'visits-legacy'], revokes: ['web', 'visits-legacy'] },
    metadata: machine,
  });
  await world.putClient({ clientId: 'stranger-api', secret: 'stranger-secret', metadata: machine });
  await world.putClient({ clientId: 'visits-legacy', traits: { dialect: 'visits' } });
}

const plainPages: ProviderPages = {
  error: (_request, _response, refusal) => `<h1>error page</h1><p>${refusal.error}</p>`,
  confirmLogout: (_request, _response, { action, xsrf }) =>
    `<form method="post" action="${action}"><input name="xsrf" value="${xsrf}"></form>`,
  formPost: (_request, _response, { url, fields }) =>
    `<form method="post" action="${url}">${Object.entries(fields).map(([name, value]) => `<input name="${name}" value="${value}">`)}</form>`,
  leadingOn: (_request, _response, { url }) => `<a href="${url}">on</a>`,
  signedOut: () => '<h1>signed out</h1>',
  enterDeviceCode: (_request, _response, { action, xsrf = '', issue = '' }) =>
    `<form method="post" action="${action}"><input name="xsrf" value="${xsrf}"></form><p>${issue}</p>`,
  confirmDevice: (_request, _response, { action, xsrf, userCode }) =>
    `<form method="post" action="${action}"><input name="xsrf" value="${xsrf}"></form><p>${userCode}</p>`,
  deviceConnected: () => '<h1>device connected</h1>',
};

/** The provider, and in place of the pages: who the request says finishes the interaction. */
async function answer(
  { oidc, stores }: { oidc: OidcServer; stores: Pick<Stores, 'accounts'> },
  request: http.IncomingMessage,
  response: http.ServerResponse,
): Promise<void> {
  const path = String(request.url).split('?')[0] ?? '';
  if (!path.startsWith('/interaction/')) return oidc.handle(request, response);
  const { 'x-person': person, 'x-consent': consent } = request.headers;
  const json = (status: number, body: unknown) =>
    response.writeHead(status, { 'content-type': 'application/json' }).end(JSON.stringify(body));
  const seeOther = (location: string) => response.writeHead(303, { location }).end();
  try {
    const view = await oidc.interactions.read(request);
    if (view.prompt === 'login' && typeof person === 'string') {
      const account = await stores.accounts.byId(person);
      if (account === undefined) throw new Error(`There is no account ${person}.`);
      const login = { account, amr: ['pwd'], acr: ACR.single };
      seeOther(await oidc.interactions.finishLogin(request, login));
    } else if (view.prompt === 'consent' && consent === 'yes') {
      seeOther((await oidc.interactions.finishConsent(request)).address);
    } else if (consent === 'no') {
      const refusal = { error: 'access_denied', description: 'no' };
      seeOther(await oidc.interactions.abort(request, refusal));
    } else json(200, view);
  } catch (error) {
    json(error instanceof InteractionGone ? 410 : 500, { error: String(error) });
  }
}

/* ------------------------------------------------------------------ a browser */

export interface Page {
  readonly url: URL;
  readonly status: number;
  readonly headers: Headers;
  readonly text: string;
}

/** Keeps cookies, follows redirects as far as this server goes, and signs in as `person` when asked to. */
export class Browser {
  readonly jar = new CookieJar();
  person: string | undefined;
  consent: 'yes' | 'no' | undefined;
  /** Every Set-Cookie that came. */
  readonly cookies: string[] = [];
  readonly #world: World;

  constructor(world: World, person?: string) {
    this.#world = world;
    this.person = person;
    this.consent = person === undefined ? undefined : 'yes';
  }

  /** One request. */
  async send(target: string | URL, init: RequestInit = {}): Promise<Page> {
    const url = new URL(target, this.#world.url);
    // Behind a TLS-terminating proxy the issuer's origin leads here.
    const local = new URL(url.pathname + url.search, this.#world.url);
    const seen = new URL(url.pathname + url.search, this.#world.issuer).href;
    const headers = new Headers(init.headers);
    const cookie = await this.jar.getCookieString(seen);
    if (cookie) headers.set('cookie', cookie);
    if (this.person !== undefined) headers.set('x-person', this.person);
    if (this.consent !== undefined) headers.set('x-consent', this.consent);
    const reply = await fetch(local, { ...init, headers, redirect: 'manual' });
    for (const line of reply.headers.getSetCookie()) {
      this.cookies.push(line);
      await this.jar.setCookie(line, seen, { ignoreError: true });
    }
    return { url, status: reply.status, headers: reply.headers, text: await reply.text() };
  }

  /** Follows redirects until a page, or an address that is not ours. */
  async open(target: string | URL, init?: RequestInit): Promise<Page> {
    let page = await this.send(target, init);
    for (let hops = 0; hops < 12; hops += 1) {
      const location = page.headers.get('location');
      if (location === null) return page;
      const next = new URL(location, new URL(page.url.pathname, this.#world.issuer));
      const ours = next.origin === new URL(this.#world.issuer).origin || next.origin === this.#world.url;
      if (!ours) return { ...page, url: next };
      page = await this.send(next);
    }
    throw new Error('too many redirects');
  }
}

/* ------------------------------------------------------------------ requests */

export const VERIFIER = 'a-verifier-of-more-than-forty-three-characters-1234';
export const CHALLENGE = await sha256(VERIFIER);

async function sha256(text: string): Promise<string> {
  return Buffer.from(await crypto.subtle.digest('SHA-256', Buffer.from(text))).toString('base64url');
}

export function authorizePath(changes: Record<string, string | undefined> = {}): string {
  const parameters = {
    ...{ client_id: 'web', redirect_uri: REDIRECT, response_type: 'code', scope: 'openid', state: 'st-1' },
    ...{ code_challenge: CHALLENGE, code_challenge_method: 'S256', ...changes },
  };
  const input = Object.entries(parameters).filter((pair): pair is [string, string] => pair[1] !== undefined);
  return `/authorize?${new URLSearchParams(input)}`;
}

export interface Reply {
  readonly status: number;
  readonly headers: Headers;
  readonly body: Record<string, unknown>;
}

export function basic(clientId: string, secret: string): Record<string, string> {
  return { authorization: `Basic ${Buffer.from(`${clientId}:${secret}`).toString('base64')}` };
}

export const WEB = basic('web', 'web-secret');

export async function post(
  world: World,
  path: string,
  form: Record<string, string> | string | URLSearchParams,
  headers: Record<string, string> = {},
): Promise<Reply> {
  const reply = await fetch(world.url + path, { method: 'POST', body: new URLSearchParams(form), headers });
  const text = await reply.text();
  let body: Record<string, unknown> = {};
  try {
    body = JSON.parse(text) as Record<string, unknown>;
  } catch {
    body = { text };
  }
  return { status: reply.status, headers: reply.headers, body };
}

/** Signs in, and resolves with the code. */
export async function codeFor(
  browser: Browser,
  changes: Record<string, string | undefined> = {},
): Promise<string> {
  const page = await browser.open(authorizePath(changes));
  const code = page.url.searchParams.get('code');
  if (code === null) throw new Error(`no code: ${page.status} ${page.url.href} ${page.text}`);
  return code;
}

export function redeem(
  world: World,
  code: string,
  changes: Record<string, string> = {},
  headers = WEB,
): Promise<Reply> {
  const form = {
    grant_type: 'authorization_code',
    code,
    redirect_uri: REDIRECT,
    code_verifier: VERIFIER,
    ...changes,
  };
  return post(world, '/token', form, headers);
}

export interface Tokens {
  readonly access_token: string;
  readonly refresh_token: string;
  readonly id_token: string;
}

export async function tokensFor(
  world: World,
  options: {
    browser?: Browser;
    request?: Record<string, string>;
    headers?: Record<string, string>;
    form?: Record<string, string>;
  } = {},
): Promise<Tokens> {
  const browser = options.browser ?? new Browser(world, 'nora');
  const reply = await redeem(world, await codeFor(browser, options.request), options.form, options.headers);
  if (reply.status !== 200) throw new Error(JSON.stringify(reply.body));
  return reply.body as unknown as Tokens;
}

export function refresh(
  world: World,
  token: string,
  changes: Record<string, string> = {},
  headers = WEB,
): Promise<Reply> {
  return post(world, '/token', { grant_type: 'refresh_token', refresh_token: token, ...changes }, headers);
}

export const RECORDS_API = basic('records-api', 'records-secret');

export async function introspect(
  world: World,
  token: string,
  headers = RECORDS_API,
): Promise<Record<string, unknown>> {
  const reply = await post(world, '/introspect', { token }, headers);
  if (reply.status !== 200) throw new Error(JSON.stringify(reply.body));
  return reply.body;
}

export function revoke(world: World, token: string, headers = WEB): Promise<Reply> {
  return post(world, '/revoke', { token }, headers);
}

export async function userinfo(
  world: World,
  token: string,
  headers: Record<string, string> = {},
): Promise<Reply> {
  const reply = await fetch(`${world.url}/userinfo`, {
    headers: { authorization: `Bearer ${token}`, ...headers },
  });
  return {
    status: reply.status,
    headers: reply.headers,
    body: (await reply.json()) as Record<string, unknown>,
  };
}

export async function getJson(world: World, path: string): Promise<Record<string, unknown>> {
  return (await (await fetch(world.url + path)).json()) as Record<string, unknown>;
}
