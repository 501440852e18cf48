/**
 * Portico as an operator starts it: as `npm start` does, with a configuration file, in a process of its own.
 * For what only a process can show: starting, signals, exit codes, the start block.
 */
import { type ChildProcess, spawn } from 'node:child_process';
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { stringify } from 'yaml';
import { type MailServer, startMailServer } from './mail-server.ts';
import { freePort } from './ports.ts';
import { startUpstream, type TestUpstream } from './upstream.ts';

const root = path.join(import.meta.dirname, '../..');

export interface ServerProcess {
  readonly url: string;
  readonly issuer: string;
  readonly mail: MailServer;
  readonly upstream: TestUpstream;
  readonly child: ChildProcess;
  /** Milliseconds from the start of the process until discovery answered. */
  readonly readyAfter: number;
  /** What it wrote to standard output and standard error so far. */
  output(): string;
  /** Sends SIGTERM and waits. Throws when the process does not end at all. `took`: milliseconds. */
  stop(): Promise<Ended & { took: number }>;
}

interface Ended {
  readonly code: number | null;
  readonly signal: NodeJS.Signals | null;
}

export interface ServerProcessOptions {
  /** Merged into the top level of the configuration file. */
  readonly config?: Record<string, unknown>;
  readonly environment?: Record<string, string>;
  readonly seeds?: readonly string[];
  /** Where the database lies; a folder of its own, removed by stop(), when absent. */
  readonly folder?: string;
  /** Default: a free one. */
  readonly port?: number;
  /** The tree that is started. Default: the project's. */
  readonly root?: string;
}

/** Milliseconds for what has no bound of its own, on a machine with other work to do. */
const START = 60_000;
const END = 30_000;

/** As npm start runs it. */
const PROGRAM = ['--max-semi-space-size=4', '--heap-growing-percent=60', 'bin/server.js'];

const VENDORS = ['visitnote', 'medisync', 'careportals', 'avycenna', 'vsee'];

/** Throws with the process's output when discovery does not answer in time. */
export async function startServerProcess(options: ServerProcessOptions = {}): Promise<ServerProcess> {
  const folder = options.folder ?? mkdtempSync(path.join(tmpdir(), 'portico-process-'));
  const [mail, upstream, port] = await Promise.all([
    startMailServer(),
    startUpstream(),
    options.port ?? freePort(),
  ]);
  const issuer = `http://127.0.0.1:${port}`;
  const file = path.join(folder, 'portico.yaml');
  writeFileSync(
    file,
    stringify({
      issuer,
      http: { host: '127.0.0.1', port, trustedProxies: ['127.0.0.1'] },
      store: { kind: 'embedded', embedded: { file: path.join(folder, 'portico.db') } },
      mail: { kind: 'smtp', smtp: { url: mail.url } },
      federation: upstream.federation,
      dialects: Object.fromEntries(VENDORS.map((name) => [name, { enabled: true }])),
      seed: options.seeds ?? [path.join(root, 'test/scenarios/people.yaml')],
      ...options.config,
    }),
  );

  const begun = performance.now();
  const child = spawn(process.execPath, PROGRAM, {
    cwd: options.root ?? root,
    env: {
      ...withoutSettings(process.env),
      NODE_ENV: 'development',
      PORTICO_CONFIG: file,
      ...options.environment,
    },
    stdio: ['ignore', 'pipe', 'pipe'],
  });
  // 'close' comes when its output has ended too, a moment after 'exit': what it wrote has come whole.
  const ended = new Promise<Ended>((resolve) =>
    child.once('close', (code, signal) => resolve({ code, signal })),
  );
  const written: string[] = [];
  child.stdout?.on('data', (chunk) => written.push(String(chunk)));
  child.stderr?.on('data', (chunk) => written.push(String(chunk)));
  const output = () => written.join('');
  const close = async () => {
    await Promise.all([mail.close(), upstream.close()]);
    if (options.folder === undefined) rmSync(folder, { recursive: true, force: true });
  };

  try {
    await discoveryAnswers(issuer, child, output);
  } catch (error) {
    child.kill('SIGKILL');
    await close();
    throw error;
  }
  return {
    url: issuer,
    issuer,
    mail,
    upstream,
    child,
    readyAfter: performance.now() - begun,
    output,
    async stop() {
      try {
        return await end(child, ended);
      } finally {
        await close();
      }
    },
  };
}

/** The environment without the settings of Portico that the person who runs the tests may have. */
export function withoutSettings(environment: NodeJS.ProcessEnv): NodeJS.ProcessEnv {
  return Object.fromEntries(Object.entries(environment).filter(([name]) => !name.startsWith('PORTICO_')));
}

async function discoveryAnswers(issuer: string, child: ChildProcess, output: () => string): Promise<void> {
  const deadline = performance.now() + START;
  while (performance.now() < deadline) {
    if (child.exitCode !== null) throw new Error(`The server ended with ${child.exitCode}:\n${output()}`);
    const answer = await fetch(`${issuer}/.well-known/openid-configuration`).catch(() => undefined);
    if (answer?.ok) return;
    await sleep(20);
  }
  throw new Error(`Discovery did not answer within ${START} ms:\n${output()}`);
}

async function end(child: ChildProcess, ended: Promise<Ended>) {
  const begun = performance.now();
  child.kill('SIGTERM');
  const late = AbortSignal.timeout(END);
  const result = await Promise.race([
    ended,
    new Promise<undefined>((resolve) => late.addEventListener('abort', () => resolve(undefined))),
  ]);
  if (result === undefined) {
    child.kill('SIGKILL');
    throw new Error(`The server did not end within ${END} ms of SIGTERM.`);
  }
  return { ...result, took: performance.now() - begun };
}
