/**
 * What the tests of the sign-in pages share: a server whose clock can be moved, people, and a browser
 * without JavaScript that goes through the steps by their forms.
 */
import { setTimeout as wait } from 'node:timers/promises';
import { expect } from 'chai';
import type { AccountRecord } from '../../../src/model/account.ts';
import { ownApp, type TestClient } from '../../support/clients.ts';
import { type RelyingParty, relyingParty, type Started } from '../../support/relying-party.ts';
import { startTestServer, type TestServer, type TestServerOptions } from '../../support/server.ts';
import type { AnswerOptions, ProviderName } from '../../support/upstream.ts';
import { openWebSession, type Page, type WebSession } from '../../support/web-session.ts';

export const MARA = { login: 'mara@clinic.test', password: 'Harbour-Lantern-Quartz-41' };
export const DOCTOR = { login: 'dr@clinic.test', password: 'Saffron-Glacier-Pilot-19' };

export interface Channel {
  readonly server: TestServer;
  readonly party: RelyingParty;
  /** Moves the server's own clock. */
  later(seconds: number): void;
  /** A browser at the first page of a sign-in, from a client address of its own. */
  begin(extra?: Record<string, string>, session?: WebSession): Promise<Visit>;
  account(email: string): Promise<AccountRecord | undefined>;
  /** A new account in the default organization. */
  make(account: Partial<AccountRecord> & { email: string }): Promise<AccountRecord>;
  close(): Promise<void>;
}

/** One browser in one sign-in. */
export interface Visit {
  readonly session: WebSession;
  readonly started: Started;
  /** The page that is shown, or the address of the app where the browser has got to. */
  at: Page | string;
  /** The page; throws when the browser is elsewhere. */
  readonly page: Page;
  /** Sends the form of the page whose action ends so; a button's own address will do. */
  press(action: string, fields?: Record<string, string>): Promise<Visit>;
  /** The code from the email to the address that the last form caused. */
  code(email: string): Promise<string>;
  /** Goes to the upstream and comes back. */
  with(
    provider: ProviderName,
    person: Record<string, unknown> | 'denied',
    answer?: AnswerOptions,
  ): Promise<Visit>;
  /** Goes to the upstream, and brings back the address or the form with which it would answer. */
  leave(
    provider: ProviderName,
    person: Record<string, unknown> | 'denied',
    answer?: AnswerOptions,
  ): Promise<Answer>;
  /** Claims of the ID token of the app where the browser has got to. */
  claims(): Promise<Record<string, unknown>>;
}

export interface Answer {
  readonly callback: string;
  readonly parameters: URLSearchParams;
  readonly method: 'GET' | 'POST';
}

let addresses = 0;

export async function openChannel(
  options: TestServerOptions & { client?: TestClient } = {},
): Promise<Channel> {
  let moved = 0;
  const clock = { now: () => new Date(Date.now() + moved) };
  const server = await startTestServer({ clock, ...options });
  const party = await relyingParty(server.issuer, options.client ?? ownApp);
  const { stores } = server.running;
  return {
    server,
    party,
    later(seconds) {
      moved += seconds * 1000;
    },
    async begin(extra = {}, session = freshBrowser()) {
      const started = await party.begin(extra);
      return visit(server, party, {
        session,
        started,
        at: await session.open(started.url, [party.client.redirectUri]),
      });
    },
    account: (email) => stores.accounts.byEmail('default', email),
    async make(input) {
      const now = new Date();
      const account: AccountRecord = {
        id: `acc_${crypto.randomUUID()}`,
        organization: 'default',
        status: 'active',
        emailVerified: true,
        claims: {},
        roles: [],
        aliases: {},
        vendor: {},
        createdAt: now,
        updatedAt: now,
        version: 1,
        ...input,
      };
      expect(await stores.accounts.insert(account)).to.equal('inserted');
      return account;
    },
    close: () => server.close(),
  };
}

export function freshBrowser(): WebSession {
  addresses += 1;
  return openWebSession({
    headers: { 'x-forwarded-for': `198.51.${Math.floor(addresses / 250)}.${(addresses % 250) + 1}` },
  });
}

function visit(
  server: TestServer,
  party: RelyingParty,
  state: { session: WebSession; started: Started; at: Page | string },
): Visit {
  const { session, started } = state;
  const until = [party.client.redirectUri];
  let pressed = 0;
  const self: Visit = {
    session,
    started,
    at: state.at,
    get page() {
      if (typeof self.at === 'string') throw new Error(`The browser is at ${self.at}.`);
      return self.at;
    },
    async press(action, fields = {}) {
      pressed = server.mail.emails.length;
      self.at = await session.submit(self.page, fields, { until, form: formOf(self.page, action) });
      return self;
    },
    async code(email) {
      return CODE.exec(await codeSince(server, email, pressed))?.[0] ?? '';
    },
    async leave(provider, person, answer) {
      server.upstream.nextPerson(provider, person, answer);
      await self.press(`/with/${provider}`);
      const [, url = ''] = (self.page.headers.get('refresh') ?? '').split('url=');
      return answerOf(url);
    },
    async with(provider, person, answer) {
      const { callback, parameters, method } = await self.leave(provider, person, answer);
      self.at = await deliver(session, { callback, parameters, method }, until);
      return self;
    },
    async claims() {
      if (typeof self.at !== 'string')
        throw new Error(`The sign-in ended at ${self.at.status}:\n${self.at.body}`);
      const tokens = await party.finish(started, self.at);
      return { ...tokens.claims() };
    },
  };
  return self;
}

const CODE = /\b\d{6}\b/;

/** The text of an email with a code to the address that came after the first `known` emails. */
async function codeSince(server: TestServer, to: string, known: number): Promise<string> {
  for (let tries = 0; tries < 200; tries += 1) {
    const letter = server.mail.emails
      .slice(known)
      .findLast((one) => one.to.includes(to) && CODE.test(one.text));
    if (letter !== undefined) return letter.text;
    await wait(20);
  }
  throw new Error(`No letter to ${to} came.`);
}

/** What the upstream would send the browser back with; it has no cookie of ours to see. */
export async function answerOf(url: string): Promise<Answer> {
  const response = await fetch(url, { redirect: 'manual' });
  const location = response.headers.get('location');
  if (location !== null) {
    const { origin, pathname, searchParams } = new URL(location);
    return { callback: origin + pathname, parameters: searchParams, method: 'GET' };
  }
  const html = await response.text();
  const fields = [...html.matchAll(/<input[^>]*name="([^"]*)"[^>]*value="([^"]*)"/g)].map(
    ([, name = '', value = '']): [string, string] => [
      name,
      value.replaceAll('&quot;', '"').replaceAll('&amp;', '&'),
    ],
  );
  const [, callback = ''] = /action="([^"]*)"/.exec(html) ?? [];
  return { callback, parameters: new URLSearchParams(fields), method: 'POST' };
}

/**
 * Brings an answer to the callback, as a browser would: a form of another site carries none of our cookies
 * (SameSite), the redirects after it do.
 */
export async function deliver(
  session: WebSession,
  { callback, parameters, method }: Answer,
  until: readonly string[] = [],
): Promise<Page | string> {
  if (method === 'GET') return session.open(`${callback}?${parameters}`, until);
  const headers = { origin: 'https://appleid.test', 'sec-fetch-site': 'cross-site', accept: 'text/html' };
  const reply = await fetch(callback, { method, body: parameters, redirect: 'manual', headers });
  const location = reply.headers.get('location');
  if (location !== null) return session.open(new URL(location, callback).href, until);
  const body = await reply.text();
  return { url: callback, status: reply.status, headers: reply.headers, body, forms: [] };
}

function formOf(page: Page, action: string) {
  const exact = page.forms.find((form) => form.action.endsWith(action));
  if (exact !== undefined) return exact;
  // A button with an address of its own sends the form that it stands in.
  const [first] = page.forms;
  const uid = /\/interaction\/[\w-]+/.exec(first?.action ?? '')?.[0];
  if (first === undefined || uid === undefined || !page.body.includes(`formaction="${uid}${action}"`)) {
    throw new Error(`No form of ${page.url} leads to ${action}:\n${page.body}`);
  }
  return { ...first, action: new URL(uid + action, page.url).href };
}

export function alertOf(page: Page): string {
  return /<p class="alert"[^>]*>([^<]*)</.exec(page.body)?.[1] ?? '';
}

export function headingOf(page: Page): string {
  return /<h1>([^<]*)</.exec(page.body)?.[1] ?? '';
}

/** What a page looks like, apart from what differs with each. */
export function look(page: Page, login = '') {
  const body = (login === '' ? page.body : page.body.replaceAll(login, 'LOGIN'))
    .replace(/interaction[/=][\w-]+/g, 'interaction/UID')
    .replace(/name="form_token" value="[^"]+"/g, 'TOKEN');
  const headers = Object.fromEntries(
    [...page.headers].filter(([name]) => !/^(x-request-id|date|content-length|etag|set-cookie)$/.test(name)),
  );
  return { status: page.status, headers, body };
}
