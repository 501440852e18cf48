/** What clients of several nodes ask for, one function per request; `at` is the balancer's URL or one node's. */
import { setTimeout as sleep } from 'node:timers/promises';
import { basicAuth, ownApp, recordsApi, type TestClient } from '../support/clients.ts';
import { type Incoming, openClient } from '../support/http-client.ts';
import type { Audited, Line } from '../support/ledger.ts';
import { type RelyingParty, relyingParty, signIn } from '../support/relying-party.ts';
import type { WebSession } from '../support/web-session.ts';

export const mara = { login: 'mara@clinic.test', password: 'Harbour-Lantern-Quartz-41' };
export const doctor = { login: 'dr@clinic.test', password: 'Saffron-Glacier-Pilot-19' };
export const pat = { login: 'pat@x.test', password: 'Willow-Compass-Ember-87' };

export interface Sending {
  readonly method?: string;
  readonly headers?: Record<string, string>;
  readonly form?: Record<string, string>;
  readonly json?: unknown;
}

export type Reply = Incoming & { /** Milliseconds. */ readonly took: number };

/** On a connection of its own. Rejects when there is no answer. */
export async function send(url: string, sending: Sending = {}): Promise<Reply> {
  const { origin, pathname, search } = new URL(url);
  const body =
    sending.form === undefined ? JSON.stringify(sending.json) : new URLSearchParams(sending.form).toString();
  const type = sending.form === undefined ? 'application/json' : 'application/x-www-form-urlencoded';
  const client = openClient(origin);
  const begun = performance.now();
  try {
    const reply = await client.send({
      method: sending.method ?? (body === undefined ? 'GET' : 'POST'),
      path: pathname + search,
      headers: { ...(body === undefined ? {} : { 'content-type': type }), ...sending.headers },
      ...(body === undefined ? {} : { body }),
    });
    return { ...reply, took: performance.now() - begun };
  } finally {
    client.close();
  }
}

let addresses = 0;

/** A client address that no test of this process had before, so that no test spends another's attempts. */
export function freshAddress(): { 'x-forwarded-for': string } {
  addresses += 1;
  return { 'x-forwarded-for': `198.19.${(addresses >> 8) & 255}.${addresses & 255}` };
}

/* ------------------------------------------------------------------ OIDC */

/** `refresh` is absent where the client has none. */
export interface Pair {
  readonly access: string;
  readonly refresh: string;
}

export interface OidcLine extends Pair {
  readonly party: RelyingParty;
  readonly session: WebSession;
  readonly idToken: string;
}

/** The whole way over the pages, for a client without a consent page. */
export async function oidcSignIn(
  issuer: string,
  { person = mara, client = ownApp }: { person?: typeof mara; client?: TestClient } = {},
): Promise<OidcLine> {
  const party = await relyingParty(issuer, client);
  const { tokens, session } = await signIn(party, person);
  return { ...pairOf(tokens), idToken: tokens.id_token ?? '', party, session };
}

/** One more sign-in of a browser that is signed in: no page, no password. */
export async function oidcAgain({ party, session }: OidcLine): Promise<Pair> {
  const started = await party.begin();
  const callback = await session.open(started.url, [party.client.redirectUri]);
  if (typeof callback !== 'string') throw new Error(`A page was shown: ${callback.status}`);
  return pairOf(await party.finish(started, callback));
}

function pairOf(tokens: { access_token: string; refresh_token?: string }): Pair {
  return { access: tokens.access_token, refresh: tokens.refresh_token ?? '' };
}

export function refreshOidc(at: string, token: string, client: TestClient = ownApp): Promise<Reply> {
  return send(`${at}/token`, {
    headers: { authorization: basicAuth(client) },
    form: { grant_type: 'refresh_token', refresh_token: token },
  });
}

/** How long somebody who is told to come again does. Milliseconds. */
const UNHURRIED = 30_000;

/** Comes again for as long as the answer is 503. What is looked for is a wrong answer, not a slow one. */
export async function unhurried(ask: () => Promise<Reply>): Promise<Reply> {
  const begun = performance.now();
  for (;;) {
    const reply = await ask();
    if (reply.status !== 503 || performance.now() - begun > UNHURRIED) return reply;
    await sleep(250);
  }
}

function askIntrospection(at: string, token: string, client: TestClient): Promise<Reply> {
  return send(`${at}/introspect`, { headers: { authorization: basicAuth(client) }, form: { token } });
}

export async function introspect(
  at: string,
  token: string,
  client: TestClient = ownApp,
): Promise<{ active: boolean }> {
  return verdictOf(await askIntrospection(at, token, client));
}

function verdictOf(reply: Reply): { active: boolean } {
  if (reply.status !== 200) throw new Error(`Introspection answered ${reply.status}: ${reply.text}`);
  return reply.json() as { active: boolean };
}

export function revoke(at: string, token: string, client: TestClient = ownApp): Promise<Reply> {
  return send(`${at}/revoke`, { headers: { authorization: basicAuth(client) }, form: { token } });
}

/* ------------------------------------------------------------------ a kind of refresh token */

/** The three channels at which a refresh token is used. */
export interface RefreshChannel {
  readonly name: string;
  /** Who may ask about its tokens. */
  readonly introspector: TestClient;
  signIn(at: string): Promise<Pair>;
  refresh(at: string, token: string): Promise<Reply>;
  /** Of a reply with 200. */
  pair(reply: Reply): Pair;
}

const lines = new Map<string, Promise<OidcLine>>();

/** Signed in once per issuer; further tokens need no password as long as the browser's session lives. */
async function signInAgain(issuer: string): Promise<Pair> {
  const line = await (lines.get(issuer) ?? newLine(issuer));
  return oidcAgain(line).catch(async () => newLine(issuer));
}

function newLine(issuer: string): Promise<OidcLine> {
  const line = oidcSignIn(issuer);
  lines.set(issuer, line);
  return line;
}

export const oidcChannel: RefreshChannel = {
  name: 'OIDC',
  introspector: ownApp,
  signIn: signInAgain,
  refresh: (at, token) => refreshOidc(at, token),
  pair: (reply) => pairOf(reply.json() as { access_token: string; refresh_token: string }),
};

export const vseeChannel: RefreshChannel = {
  name: 'VSee',
  introspector: recordsApi,
  async signIn(at) {
    const reply = await send(`${at}/api_v3/users/login`, {
      headers: { 'x-accountcode': 'clinicdev', ...freshAddress() },
      form: { username: pat.login, password: pat.password },
    });
    if (reply.status !== 200) throw new Error(`VSee's sign-in answered ${reply.status}: ${reply.text}`);
    return vseeChannel.pair(reply);
  },
  refresh: (at, token) => send(`${at}/api_v3/tokens/refresh`, { form: { refresh_token: token } }),
  pair(reply) {
    const { data } = reply.json() as { data: { token: string; refresh_token: { token: string } } };
    return { access: data.token, refresh: data.refresh_token.token };
  },
};

export const avycennaChannel: RefreshChannel = {
  name: 'AVYCENNA',
  introspector: recordsApi,
  async signIn(at) {
    const reply = await send(`${at}/api/v1/auth/login`, {
      headers: freshAddress(),
      json: { email: doctor.login, password: doctor.password },
    });
    if (reply.status !== 200) throw new Error(`AVYCENNA's sign-in answered ${reply.status}: ${reply.text}`);
    return avycennaChannel.pair(reply);
  },
  refresh: (at, token) => send(`${at}/api/v1/auth/refresh`, { json: { refresh_token: token } }),
  pair: (reply) => pairOf(reply.json() as { access_token: string; refresh_token: string }),
};

export function times<Result>(count: number, work: (index: number) => Promise<Result>): Promise<Result[]> {
  return Promise.all(Array.from({ length: count }, (_, index) => work(index)));
}

/** RFC 7662's `active` of each token. Takes its time. */
export function activeAt(at: string, channel: RefreshChannel, tokens: readonly string[]): Promise<boolean[]> {
  return Promise.all(
    tokens.map(async (token) => {
      const reply = await unhurried(() => askIntrospection(at, token, channel.introspector));
      return verdictOf(reply).active;
    }),
  );
}

/** For the audit of a ledger whose lines come from these channels. */
export function auditorAt(at: string, channelOf: (line: Line) => RefreshChannel): Audited {
  return {
    active: async (token, line) => (await activeAt(at, channelOf(line), [token]))[0] === true,
    async refresh(line) {
      const reply = await unhurried(() => channelOf(line).refresh(at, line.last.refresh));
      return reply.status === 200 ? channelOf(line).pair(reply) : undefined;
    },
  };
}
