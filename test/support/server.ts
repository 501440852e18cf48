/**
 * Portico as tests start it: the same startServer() as in the real process, on port 0, with a store of its
 * own, a real mail server and a second OIDC provider as Google and Apple. Only the values differ.
 *
 * Seeding hashes a score of passwords; it is done once per process, and every server starts on a copy of the
 * seeded file.
 */
import { copyFileSync, mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { type Config, type ConfigInput, configSchema } from '../../src/config/schema.ts';
import type { Clock } from '../../src/core/clock.ts';
import type { Dialect } from '../../src/dialects/contract/dialect.ts';
import { dialectNames } from '../../src/dialects/registry.ts';
import { createLog } from '../../src/observe/log.ts';
import { type RunningServer, startServer } from '../../src/server/server.ts';
import { type MailServer, startMailServer } from './mail-server.ts';
import { startUpstream, type TestUpstream } from './upstream.ts';

const root = path.join(import.meta.dirname, '../..');

/** The world of the scenarios. */
export const PEOPLE = path.join(root, 'test/scenarios/people.yaml');
/** OIDC clients beside it: clients.ts knows them. */
export const CLIENTS = path.join(root, 'test/support/clients.yaml');

/** The server key of every test server: 32 bytes that protect nothing. */
export const TEST_KEY = Buffer.alloc(32, 7).toString('base64');

export interface TestServerOptions {
  /** Laid over the test configuration, table by table; a list replaces the list below it. */
  readonly config?: DeepPartial<ConfigInput>;
  /** Seed files. Default: PEOPLE and CLIENTS. */
  readonly seeds?: readonly string[];
  /** Of `federation`; default: Google and Apple. */
  readonly federation?: (upstream: TestUpstream) => ConfigInput['federation'];
  readonly clock?: Clock;
  readonly dialects?: readonly Dialect[];
  /** Start on the database that an earlier server left behind (`keepStore`). */
  readonly folder?: string;
}

export interface TestServer {
  /** Where it listens; also the issuer. No slash at the end. */
  readonly url: string;
  readonly issuer: string;
  readonly config: Config;
  readonly running: RunningServer;
  readonly mail: MailServer;
  readonly upstream: TestUpstream;
  /** What the server logged, one parsed object a line. */
  readonly logged: readonly Record<string, unknown>[];
  /** The log as it was written, for looking for what must not be there. */
  logText(): string;
  /** Holds the database file. */
  readonly folder: string;
  /** Stops everything; the folder goes too unless `keepStore`. */
  close(options?: { keepStore?: boolean }): Promise<void>;
}

export type DeepPartial<T> = T extends readonly unknown[] | string | number | boolean
  ? T
  : { [Name in keyof T]?: DeepPartial<T[Name]> };

export async function startTestServer(options: TestServerOptions = {}): Promise<TestServer> {
  const seeds = options.seeds ?? [PEOPLE, CLIENTS];
  const folder = options.folder ?? seededCopy(await template(seeds));
  const [mail, upstream] = await Promise.all([startMailServer(), startUpstream()]);
  const config = testConfig(
    {
      seed: [...seeds],
      store: { kind: 'embedded', embedded: { file: path.join(folder, 'portico.db') } },
      mail: { kind: 'smtp', smtp: { url: mail.url } },
      federation: (options.federation?.(upstream) ?? upstream.federation) as DeepPartial<
        ConfigInput['federation']
      >,
    },
    options,
  );
  const { running, lines } = await startQuietly(config, options);
  return {
    url: running.url,
    issuer: running.issuer,
    config,
    running,
    mail,
    upstream,
    get logged() {
      return lines.map((line) => JSON.parse(line) as Record<string, unknown>);
    },
    logText: () => lines.join(''),
    folder,
    async close({ keepStore = false } = {}) {
      await running.close();
      await Promise.all([mail.close(), upstream.close()]);
      if (!keepStore) rmSync(folder, { recursive: true, force: true });
    },
  };
}

/** Every dialect switched on, nothing that reaches out of this machine, sign-in limits as they ship. */
export function testConfig(
  base: DeepPartial<ConfigInput>,
  { config = {}, dialects }: Pick<TestServerOptions, 'config' | 'dialects'> = {},
): Config {
  const names = dialects?.map(({ name }) => name) ?? dialectNames;
  const input: DeepPartial<ConfigInput> = {
    environment: 'test',
    issuer: 'http://127.0.0.1:0',
    http: { host: '127.0.0.1', port: 0, trustedProxies: ['127.0.0.1'] },
    keys: { encryption: TEST_KEY },
    // Devices of tests do not wait five seconds for a person of tests, who signs in again and again and is asked.
    oidc: { deviceInterval: 0, rememberConsent: 'session' },
    log: { level: 'debug' },
    dialects: Object.fromEntries(names.map((name) => [name, { enabled: true }])),
  };
  return configSchema.parse(laidOver(laidOver(input, base), config));
}

async function startQuietly(config: Config, options: TestServerOptions) {
  const lines: string[] = [];
  const log = createLog({ level: config.log.level, destination: { write: (line) => void lines.push(line) } });
  const running = await startServer(config, {
    log,
    ...(options.clock === undefined ? {} : { clock: options.clock }),
    ...(options.dialects === undefined ? {} : { dialects: options.dialects }),
  });
  return { running, lines };
}

/* ------------------------------------------------------------------ the seeded file */

const templates = new Map<string, Promise<string>>();

/** The folder of a database that was seeded once, by a server that is closed again. */
function template(seeds: readonly string[]): Promise<string> {
  const key = seeds.join('\0');
  const known = templates.get(key);
  if (known !== undefined) return known;
  const created = seed(seeds);
  templates.set(key, created);
  return created;
}

async function seed(seeds: readonly string[]): Promise<string> {
  const folder = temporaryFolder();
  process.once('exit', () => rmSync(folder, { recursive: true, force: true }));
  const config = testConfig({
    seed: [...seeds],
    store: { kind: 'embedded', embedded: { file: path.join(folder, 'portico.db') } },
  });
  const { running } = await startQuietly(config, {});
  await running.close();
  return folder;
}

function seededCopy(folder: string): string {
  const copy = temporaryFolder();
  copyFileSync(path.join(folder, 'portico.db'), path.join(copy, 'portico.db'));
  return copy;
}

function temporaryFolder(): string {
  return mkdtempSync(path.join(tmpdir(), 'portico-test-'));
}

/** Tables are merged, everything else is replaced. */
function laidOver<T>(below: T, above: unknown): T {
  if (!isTable(below) || !isTable(above)) return above as T;
  const merged: Record<string, unknown> = { ...below };
  for (const [name, value] of Object.entries(above)) {
    merged[name] = name in merged ? laidOver(merged[name], value) : value;
  }
  return merged as T;
}

function isTable(value: unknown): value is Record<string, unknown> {
  return typeof value === 'object' && value !== null && !Array.isArray(value);
}
