/**
 * The real servers behind the distributed store, for tests. MONGODB_URL and REDIS_URL name servers that
 * run already; otherwise redis-server and mongod are started on free ports: from the PATH ($MONGOD), or
 * the stand-in of test/mongod where Go is at hand. Without any, the tests that need them are skipped, which
 * the end of the run says loudly; with CI=true that is a failure.
 */
import { type ChildProcess, spawn } from 'node:child_process';
import { once } from 'node:events';
import {
  accessSync,
  constants,
  existsSync,
  mkdtempSync,
  readdirSync,
  readFileSync,
  rmSync,
  writeFileSync,
} from 'node:fs';
import { homedir, tmpdir } from 'node:os';
import { delimiter, join } from 'node:path';
import { setTimeout as wait } from 'node:timers/promises';
import { fileURLToPath } from 'node:url';
import { expect } from 'chai';
import { eventually } from './in-time.ts';
import { freePort, takesConnections } from './ports.ts';

export interface TestServer {
  readonly url: string;
  /** Absent, as the child, for a server that the tests did not start. */
  readonly port?: number;
  readonly child?: ChildProcess;
  stop(): Promise<void>;
}

export interface TestServers {
  readonly mongo: TestServer;
  readonly redis: TestServer;
}

const STAND_IN = fileURLToPath(new URL('../mongod/mongod', import.meta.url));
/** Milliseconds: the stand-in is compiled at its first start. */
const MONGO_START = 240_000;
const REDIS_START = 60_000;

let shared: Promise<TestServers | undefined> | undefined;

/** The servers that all tests of this process share; undefined, after a note for the end of the run, without any. */
export function sharedServers(): Promise<TestServers | undefined> {
  shared ??= startServers();
  return shared;
}

async function startServers(): Promise<TestServers | undefined> {
  const { MONGODB_URL, REDIS_URL } = process.env;
  const missing = [
    ...(REDIS_URL || redisProgram() ? [] : ['redis-server']),
    ...(MONGODB_URL || mongoProgram() ? [] : ['mongod']),
  ];
  if (missing.length > 0) return complain(missing, 'tests of the distributed store');
  const [mongo, redis] = await Promise.all([startMongo(), startRedis()]);
  return { mongo, redis };
}

/** True when tests may start servers of their own and break them; a note for the end of the run otherwise. */
export function canStartServers(): boolean {
  const missing = [...(redisProgram() ? [] : ['redis-server']), ...(mongoProgram() ? [] : ['mongod'])];
  if (missing.length > 0) complain(missing, 'tests that break MongoDB and Redis');
  return missing.length === 0;
}

/** Throws with CI=true. */
function complain(missing: readonly string[], what: string): undefined {
  const note = `There is no ${missing.join(' and no ')}: the ${what} did NOT run.`;
  if (process.env.CI === 'true') throw new Error(`${note} Install them, or set MONGODB_URL and REDIS_URL.`);
  process.on('exit', () => process.stderr.write(`\n*** ${note}\n\n`));
}

/** The MongoDB server of MONGODB_URL, or a new one; with `own` always a new one, for tests that break it. */
export async function startMongo(options: { own?: boolean; port?: number } = {}): Promise<TestServer> {
  const { MONGODB_URL } = process.env;
  if (MONGODB_URL && !options.own) return running(MONGODB_URL);
  const program = mongoProgram();
  if (!program) throw new Error('There is no mongod.');
  return start({
    program,
    port: options.port,
    patience: MONGO_START,
    values: (port, folder) => ['--port', String(port), '--bind_ip', '127.0.0.1', '--dbpath', folder],
    url: (port) => `mongodb://127.0.0.1:${port}`,
  });
}

/** The Redis server of REDIS_URL, or a new one; with `own` always a new one. `values`: more for its command line. */
export async function startRedis(
  options: { own?: boolean; port?: number; values?: readonly string[] } = {},
): Promise<TestServer> {
  const { REDIS_URL } = process.env;
  if (REDIS_URL && !options.own) return running(REDIS_URL);
  const program = redisProgram();
  if (!program) throw new Error('There is no redis-server.');
  return start({
    program,
    port: options.port,
    patience: REDIS_START,
    values: (port, folder) => [...redisValues(port, folder), ...(options.values ?? [])],
    url: (port) => `redis://127.0.0.1:${port}`,
  });
}

function redisValues(port: number, folder: string): string[] {
  return [
    ...['--port', String(port), '--bind', '127.0.0.1', '--dir', folder],
    ...['--save', '', '--appendonly', 'no', '--maxmemory-policy', 'noeviction'],
  ];
}

/** A Redis Sentinel with the settings (lines of its file) that it is given. */
export async function startSentinel(settings: readonly string[]): Promise<TestServer> {
  const program = redisProgram();
  if (!program) throw new Error('There is no redis-server.');
  return start({
    program,
    port: undefined,
    patience: REDIS_START,
    values: (port, folder) => {
      // A Sentinel writes what it learns into its file.
      const file = join(folder, 'sentinel.conf');
      const lines = [`port ${port}`, 'bind 127.0.0.1', `dir ${folder}`, ...settings];
      writeFileSync(file, `${lines.join('\n')}\n`);
      return [file, '--sentinel'];
    },
    url: (port) => `redis://127.0.0.1:${port}`,
  });
}

function running(url: string): TestServer {
  return { url, stop: async () => undefined };
}

interface Start {
  readonly program: string;
  /** A free one by default. */
  readonly port: number | undefined;
  readonly patience: number;
  readonly values: (port: number, folder: string) => string[];
  readonly url: (port: number) => string;
}

const leftBehind = new Set<() => void>();
let watched = false;

/** No server outlives the tests, however they end. */
function atExit(clean: () => void): void {
  leftBehind.add(clean);
  if (watched) return;
  watched = true;
  process.once('exit', () => {
    for (const end of leftBehind) end();
  });
}

async function start({ program, port: input, patience, values, url }: Start): Promise<TestServer> {
  const port = input ?? (await freePort());
  const folder = mkdtempSync(join(tmpdir(), 'portico-server-'));
  const child = spawn(program, values(port, folder), { stdio: 'ignore' });
  const clean = () => {
    child.kill('SIGKILL');
    rmSync(folder, { recursive: true, force: true });
  };
  atExit(clean);
  const deadline = Date.now() + patience;
  while (!(await takesConnections(port))) {
    if (child.exitCode !== null)
      throw new Error(`${program} ended with ${child.exitCode} before it answered.`);
    if (Date.now() > deadline) throw new Error(`${program} did not answer in ${patience} ms.`);
    await wait(50);
  }
  // Another process of tests may have taken the port meanwhile: what answers is its server, and it may empty it.
  await Promise.race([once(child, 'exit'), wait(250)]);
  if (child.exitCode !== null) {
    if (input !== undefined) throw new Error(`${program} found port ${port} taken.`);
    return start({ program, port: undefined, patience, values, url });
  }
  return {
    url: url(port),
    port,
    child,
    async stop() {
      leftBehind.delete(clean);
      const gone = child.exitCode === null && child.signalCode === null ? once(child, 'exit') : undefined;
      clean();
      await gone;
    },
  };
}

/** Stops a process until SIGCONT, and waits until each of its threads stands: on a busy machine they run for a moment more. */
export async function suspend(child: ChildProcess | undefined): Promise<void> {
  child?.kill('SIGSTOP');
  await eventually(() => {
    for (const thread of readdirSync(`/proc/${child?.pid}/task`)) {
      const state = readFileSync(`/proc/${child?.pid}/task/${thread}/stat`, 'utf8');
      expect(state).to.match(/\) T \d/);
    }
  });
}

function redisProgram(): string | undefined {
  return onPath('redis-server');
}

function mongoProgram(): string | undefined {
  return process.env.MONGOD || onPath('mongod') || (canBuild() || wasBuilt() ? STAND_IN : undefined);
}

function canBuild(): boolean {
  return onPath('go') !== undefined;
}

function wasBuilt(): boolean {
  const cache = join(process.env.XDG_CACHE_HOME || join(homedir(), '.cache'), 'mongo-stand-in');
  return existsSync(cache) && readdirSync(cache).some((name) => name.startsWith('mongo-'));
}

function onPath(name: string): string | undefined {
  for (const folder of (process.env.PATH ?? '').split(delimiter)) {
    try {
      accessSync(join(folder, name), constants.X_OK);
      return join(folder, name);
    } catch {
      // The next folder may have it.
    }
  }
  return undefined;
}
