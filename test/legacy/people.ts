/** A Portico in stage primary with a legacy system behind it, on either back end, and people who come to it. */
import { randomUUID } from 'node:crypto';
import type { AccountRecord } from '../../src/model/account.ts';
import { type Incoming, openClient } from '../support/http-client.ts';
import { type LegacySystem, startLegacySystem } from '../support/legacy-system.ts';
import { startTestServer, type TestServer } from '../support/server.ts';
import { sharedServers } from '../support/servers.ts';
import { openWebSession, type Page } from '../support/web-session.ts';

export const PASSWORD = 'Canary-Password-41';
export const OTHER = 'Other-Password-42';

export type BackEndName = 'embedded' | 'distributed';

export interface People {
  readonly server: TestServer;
  readonly system: LegacySystem;
  /** Moves the server's clock. */
  pass(seconds: number): void;
  /** A sign-in at VisitNote's API, each time from another address. */
  signIn(email: string, password: string, headers?: Record<string, string>): Promise<Incoming>;
  post(path: string, body: unknown, headers?: Record<string, string>): Promise<Incoming>;
  /** The sign-in page of the account pages, and what it answers. */
  signInOnPage(email: string, password: string, language?: string): Promise<Page | string>;
  account(email: string): Promise<AccountRecord | undefined>;
  close(): Promise<void>;
}

/** Undefined where the servers of the back end cannot be started. */
export async function startPeople(
  backEnd: BackEndName,
  /** What is said of each dialect's legacy system. Default: VisitNote's alone. */
  dialects: Readonly<Record<string, Record<string, unknown>>> = { visitnote: {} },
): Promise<People | undefined> {
  const servers = backEnd === 'embedded' ? undefined : await sharedServers();
  if (backEnd === 'distributed' && servers === undefined) return undefined;
  const system = await startLegacySystem();
  const legacy = {
    url: system.url,
    stage: 'primary',
    // A busy machine may pause for half a second: that is no absence.
    timeout: '1s',
    rate: '1000/1s',
    floor: '1ms',
    concurrency: 64,
  };
  let ahead = 0;
  const server = await startTestServer({
    clock: { now: () => new Date(Date.now() + ahead) },
    config: {
      dialects: Object.fromEntries(
        Object.entries(dialects).map(([name, own]) => [
          name,
          // The legacy system cannot be asked about people who sign in there with Google: it is off.
          { legacy: { ...legacy, ...own }, ...(name === 'avycenna' && { googleProvider: 'none' }) },
        ]),
      ),
      ...(servers && {
        store: {
          kind: 'distributed',
          mongo: { url: servers.mongo.url, database: `legacy-${randomUUID()}` },
          redis: { url: servers.redis.url },
        },
      }),
    },
  });
  const client = openClient(server.url);
  let visitors = 0;
  const post = (path: string, body: unknown, headers: Record<string, string> = {}) => {
    visitors += 1;
    const from = `198.18.${Math.floor(visitors / 250)}.${(visitors % 250) + 1}`;
    return client.send({
      ...{ method: 'POST', path, body: JSON.stringify(body) },
      headers: { 'content-type': 'application/json', 'x-forwarded-for': from, ...headers },
    });
  };
  return {
    ...{ server, system, post },
    pass(seconds) {
      ahead += seconds * 1000;
    },
    signIn: (email, password, headers) => post('/api/therapist/v1/sign-in', { email, password }, headers),
    async signInOnPage(login, password, language = 'en') {
      const web = openWebSession({ headers: { 'accept-language': language } });
      const page = await web.open(`${server.url}/account`);
      if (typeof page === 'string') throw new Error(`no sign-in page at ${page}`);
      return web.submit(page, { login, password });
    },
    account: (email) => server.running.stores.accounts.byEmail('default', email),
    async close() {
      client.close();
      await server.close();
      await system.close();
    },
  };
}
