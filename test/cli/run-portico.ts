/**
 * The command line as an operator runs it, on a store of its own: `run` starts bin/portico.js in a process
 * for the one command, `session` asks one process for many.
 */
import { type ChildProcess, fork, spawn } from 'node:child_process';
import { once } from 'node:events';
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { pino } from 'pino';
import { stringify } from 'yaml';
import { openStores } from '../../src/store/open-stores.ts';
import type { Stores } from '../../src/store/ports/stores.ts';
import { embeddedConfig } from '../store/embedded-config.ts';
import type { Answered, Asked } from './portico-session.ts';

const program = path.join(import.meta.dirname, '../../bin/portico.js');
const session = path.join(import.meta.dirname, 'portico-session.ts');

export interface Ran {
  readonly code: number | null;
  readonly stdout: string;
  readonly stderr: string;
  /** Standard output as JSON. */
  json(): Record<string, unknown> & Record<string, unknown>[];
}

export interface Terminal {
  readonly folder: string;
  run(args: readonly string[], more?: { input?: string; env?: Record<string, string> }): Promise<Ran>;
  /** Commands in turn, without a process for each. */
  session(args: readonly string[], more?: { input?: string }): Promise<Ran>;
  /** A command that goes on, such as `start`. `stdout`: a file descriptor, in the place of output(). */
  spawn(
    args: readonly string[],
    env?: Record<string, string>,
    stdout?: number,
  ): { child: ChildProcess; output(): string };
  write(name: string, content: string): string;
  /** Works on the store of the commands. */
  inStore<Result>(work: (stores: Stores) => Promise<Result>): Promise<Result>;
  close(): void;
}

/** `config`: merged into the top level of the configuration file. */
export function openTerminal(config: Record<string, unknown> = {}): Terminal {
  const folder = mkdtempSync(path.join(tmpdir(), 'portico-cli-'));
  const write = (name: string, content: string) => {
    const file = path.join(folder, name);
    writeFileSync(file, content);
    return file;
  };
  const own = write(
    'portico.yaml',
    stringify({
      issuer: 'http://localhost:4999',
      store: { embedded: { file: path.join(folder, 'portico.db') } },
      keys: { encryptionFile: path.join(folder, 'portico.key') },
      ...config,
    }),
  );
  const settings = { NODE_ENV: 'development', PORTICO_CONFIG: own };
  let child: ChildProcess | undefined;
  return {
    folder,
    write,
    run: (args, { input, env = {} } = {}) => run({ args, cwd: folder, input, env: { ...settings, ...env } }),
    spawn(args, env = {}, stdout) {
      const child = spawn(process.execPath, [program, ...args], {
        cwd: folder,
        env: environment({ ...settings, ...env }),
        stdio: ['ignore', stdout ?? 'pipe', 'pipe'],
      });
      const written: string[] = [];
      child.stdout?.on('data', (chunk) => written.push(String(chunk)));
      child.stderr?.on('data', (chunk) => written.push(String(chunk)));
      return { child, output: () => written.join('') };
    },
    async session(args, { input = '' } = {}) {
      child ??= fork(session, { cwd: folder, env: environment(settings), execArgv: [] });
      child.send({ args, input } satisfies Asked);
      const [answered] = (await once(child, 'message')) as [Answered];
      return { ...answered, json: () => JSON.parse(answered.stdout) };
    },
    async inStore(work) {
      const config = embeddedConfig(path.join(folder, 'portico.db'));
      const stores = await openStores(config, { log: pino({ level: 'silent' }) });
      try {
        return await work(stores);
      } finally {
        await stores.close();
      }
    },
    close() {
      child?.kill();
      rmSync(folder, { recursive: true, force: true });
    },
  };
}

/** Of this process, without the settings of Portico that the person who runs the tests may have. */
function environment(settings: Record<string, string>): Record<string, string | undefined> {
  const inherited = Object.entries(process.env).filter(
    ([name]) => !/^(PORTICO_|NODE_ENV$|NODE_OPTIONS$)/.test(name),
  );
  return { ...Object.fromEntries(inherited), ...settings };
}

function run(options: {
  args: readonly string[];
  cwd: string;
  input: string | undefined;
  env: Record<string, string>;
}): Promise<Ran> {
  const { args, cwd, input, env } = options;
  const child = spawn(process.execPath, [program, ...args], {
    cwd,
    env: environment(env),
    stdio: ['pipe', 'pipe', 'pipe'],
  });
  const out: string[] = [];
  const err: string[] = [];
  child.stdout.on('data', (chunk) => out.push(String(chunk)));
  child.stderr.on('data', (chunk) => err.push(String(chunk)));
  child.stdin.end(input ?? '');
  return new Promise((resolve, reject) => {
    child.once('error', reject);
    child.once('close', (code) => {
      const stdout = out.join('');
      resolve({ code, stdout, stderr: err.join(''), json: () => JSON.parse(stdout) });
    });
  });
}
