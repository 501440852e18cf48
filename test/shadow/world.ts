/** A Portico in stage shadow in front of a legacy system: what its clients do, and what it found. */
import { randomUUID } from 'node:crypto';
import path from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { dialectNames } from '../../src/dialects/registry.ts';
import { type Comparison, type Difference, readComparison } from '../../src/migration/differences.ts';
import { createLog } from '../../src/observe/log.ts';
import { openEmbeddedStores } from '../../src/store/embedded/embedded-stores.ts';
import type { DialectInfo } from '../conformance/dialect-under-test.ts';
import { freePort } from '../support/ports.ts';
import { CLIENTS, type DeepPartial, PEOPLE, startTestServer, type TestServer } from '../support/server.ts';

export interface Shadowed {
  readonly server: TestServer;
  /** Waits until `calls` were judged; the figures of /metrics. */
  judged(calls: number): Promise<string>;
  /** Closes it; by dialect. */
  found(): Promise<ReadonlyMap<string, Comparison>>;
}

export interface ShadowedOptions {
  /** Below `dialects.<name>.legacy`, of every dialect. */
  readonly legacy?: Record<string, unknown>;
  readonly config?: Record<string, unknown>;
}

/** It knows the people of the scenarios, and signs with other keys than a server that knows them alone. */
export async function startInShadow(
  url: string,
  { legacy = {}, config = {} }: ShadowedOptions = {},
): Promise<Shadowed> {
  const port = await freePort();
  const own = {
    ...{ url, stage: 'shadow', timeout: '30s', rate: '10000/1s', addresses: 'verified' },
    ...{ roles: ['doctor', 'patient', '200', '400'], shadow: { passwords: 1 }, ...legacy },
  };
  const dialects = Object.fromEntries(dialectNames.map((name) => [name, { legacy: own }]));
  const input: DeepPartial<Record<string, unknown>> = { ...config, http: { internal: { port } }, dialects };
  const server = await startTestServer({ seeds: [PEOPLE, CLIENTS], config: input });
  const figures = async () => (await fetch(`http://127.0.0.1:${port}/metrics`)).text();
  return {
    server,
    async judged(calls) {
      for (let tries = 0; tries < 600; tries += 1) {
        const text = await figures();
        if (counted(text) >= calls) return text;
        await sleep(50);
      }
      throw new Error(`Of ${calls} calls ${counted(await figures())} were judged.`);
    },
    async found() {
      await server.close({ keepStore: true });
      return readComparisons(server.folder);
    },
  };
}

function counted(figures: string): number {
  const counts = [...figures.matchAll(/^portico_shadow_total\{[^\n]*\} (\d+)$/gm)];
  return counts.reduce((sum, [, count]) => sum + Number(count), 0);
}

async function readComparisons(folder: string): Promise<Map<string, Comparison>> {
  const log = createLog({ level: 'silent' });
  const stores = await openEmbeddedStores({ file: path.join(folder, 'portico.db'), log });
  const all = new Map<string, Comparison>();
  for (const name of dialectNames) all.set(name, await readComparison(stores.metadata, name));
  await stores.close();
  return all;
}

/** 'visitnote GET /my-profile /data/uuid: form, uuid there, text here'. */
export function sentences(found: ReadonlyMap<string, Comparison>): string[] {
  const said = (name: string, { endpoint, place, kind, there, here }: Difference) =>
    `${name} ${endpoint} ${place}: ${kind}, ${there} there, ${here} here`;
  return [...found].flatMap(([name, { differences }]) => differences.map((each) => said(name, each)));
}

/* ------------------------------------------------------------------ what clients do */

/** One who can sign in at the vendor: people.yaml. */
export const WHO: Readonly<Record<string, { readonly login: string; readonly password: string }>> = {
  visitnote: { login: 'mara@clinic.test', password: 'Harbour-Lantern-Quartz-41' },
  medisync: { login: 'n.okafor@ward.test', password: 'Copper-Meadow-Falcon-72' },
  careportals: { login: 'lea@x.test', password: 'Marble-Orchid-Signal-33' },
  avycenna: { login: 'dr@clinic.test', password: 'Saffron-Glacier-Pilot-19' },
  vsee: { login: 'rich@x.test', password: 'Pewter-Canyon-Mosaic-52' },
};

export interface Call {
  readonly method: string;
  readonly path: string;
  readonly headers?: Record<string, string>;
  readonly body?: string;
}

/** Calls besides sign-in and me. */
interface More {
  readonly refresh?: string;
  signOut?(token: string): Pick<Call, 'path' | 'headers'> & { readonly json?: unknown };
  register?(email: string): { readonly path: string; readonly json: unknown };
  list?(token: string): Pick<Call, 'path' | 'headers'>;
}

const PASSWORD = 'Tundra-Velvet-Compass-93';
const bearer = (token: string) => ({ authorization: `Bearer ${token}` });

const MORE: Readonly<Record<string, More>> = {
  visitnote: {
    signOut: (token) => ({ path: '/api/therapist/v1/logout', headers: bearer(token) }),
    register: (email) => ({
      path: '/api/therapist/v1/register',
      json: { first_name: 'Late', last_name: 'Comer', email, password: PASSWORD },
    }),
  },
  medisync: {
    register: (email) => ({
      path: '/api/register',
      json: {
        ...{ title: 'Dr.', firstName: 'Ida', lastName: 'Holm', email, password: PASSWORD },
        ...{ specialty: 'Surgery', ehr_system_type: 'Epic', ehr_system_name: 'East' },
      },
    }),
  },
  avycenna: {
    refresh: '/api/v1/auth/refresh',
    signOut: (token) => ({ path: '/api/v1/auth/logout', headers: bearer(token) }),
    register: (email) => ({
      path: '/api/v1/auth/register',
      json: { name: 'Dr. Twin', email, password: PASSWORD },
    }),
    list: (token) => ({ path: '/api/v1/api-keys', headers: bearer(token) }),
  },
  vsee: {
    refresh: '/api_v3/tokens/refresh',
    signOut: (token) => ({ path: '/api_v3/users/logout', json: { tokens: [token] } }),
    list: (token) => ({ path: '/api_v3/users?limit=2', headers: { 'x-apitoken': token } }),
  },
};

export interface Client {
  /** Resolves with the reply's status and JSON. */
  send(call: Call): Promise<{ readonly status: number; readonly json: unknown }>;
  readonly sent: number;
}

/** From an address of its own, so that no limit of the legacy system is met. */
export function client(origin: string, from: string): Client {
  let sent = 0;
  return {
    get sent() {
      return sent;
    },
    async send({ method, path: target, headers, body }) {
      sent += 1;
      const own = { 'content-type': 'application/json', 'x-forwarded-for': from, ...headers };
      const reply = await fetch(`${origin}${target}`, {
        ...{ method, headers: own, redirect: 'manual' as const },
        ...(body !== undefined && { body }),
      });
      const text = await reply.text();
      return { status: reply.status, json: /^[{[]/.test(text) ? JSON.parse(text) : undefined };
    },
  };
}

const at = (json: unknown, pointer = ''): string => {
  const found = pointer
    .split('/')
    .slice(1)
    .reduce<unknown>((value, name) => Object(value)[name], json);
  return String(found);
};

/** What a client of the vendor does in a day, right and wrong. Nothing that a person changes. */
export async function dayOf(
  { dialect: { name }, headers = {}, signIn, me }: DialectInfo,
  { send }: Client,
): Promise<void> {
  const { login = '', password = '' } = WHO[name] ?? {};
  const more = MORE[name] ?? {};
  const post = (target: string, json: unknown, extra: Record<string, string> = {}) =>
    send({ method: 'POST', path: target, headers: { ...headers, ...extra }, body: JSON.stringify(json) });
  const look = (token: string) =>
    send({ method: 'GET', path: me.path, headers: { ...headers, ...me.headers(token) } });
  const { json } = await post(signIn.path, signIn.body(login, password));
  const token = at(json, signIn.token);
  for (let looks = 0; looks < 6; looks += 1) await look(token);
  await post(signIn.path, signIn.body(login, 'wrong'));
  await look('no-token-of-either');
  await send({ method: 'GET', path: me.path, headers });
  await send({ method: 'POST', path: signIn.path, headers, body: '{"broken' });
  await post(signIn.path, {});
  if (more.list !== undefined) await send({ method: 'GET', ...more.list(token) });
  if (more.register !== undefined) {
    const newcomer = more.register(`${randomUUID()}@x.test`);
    await post(newcomer.path, newcomer.json);
    await post(newcomer.path, newcomer.json);
  }
  if (more.refresh !== undefined) {
    const refreshed = await post(more.refresh, { refresh_token: at(json, signIn.refreshToken) });
    await look(at(refreshed.json, signIn.token));
    await post(more.refresh, { refresh_token: 'none of either' });
  }
  if (more.signOut !== undefined) {
    const { json: own = {}, path: target, headers: shown } = more.signOut(token);
    await post(target, own, shown);
    await look(token);
  }
}
