/** Starts the programs that are measured, waits for them, and ends them with everything they left. */
import {
  type ChildProcess,
  type SpawnOptions,
  type SpawnSyncOptions,
  spawn,
  spawnSync,
} from 'node:child_process';
import { once } from 'node:events';
import {
  accessSync,
  closeSync,
  constants,
  mkdirSync,
  mkdtempSync,
  openSync,
  readFileSync,
  rmSync,
} from 'node:fs';
import { homedir, tmpdir } from 'node:os';
import path from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { OperatorError } from '../../src/core/errors.ts';

/** Something that the measurement needs is not on this machine. */
export class Missing extends OperatorError {
  override readonly name = 'Missing';
}

/** The full path of a program. Throws Missing, with `remedy`, when it is in no folder of the PATH nor in `folders`. */
export function programOf(name: string, remedy: string, folders: readonly string[] = []): string {
  for (const folder of [...(process.env.PATH ?? '').split(path.delimiter), ...folders]) {
    const file = path.join(folder, name);
    try {
      accessSync(file, constants.X_OK);
      return file;
    } catch {
      // The next folder may have it.
    }
  }
  throw new Missing(`There is no ${name}. ${remedy}`);
}

/** A folder of what is downloaded or built once. */
export function cached(name: string): string {
  const cache = path.join(process.env.XDG_CACHE_HOME || path.join(homedir(), '.cache'), 'portico-bench');
  mkdirSync(cache, { recursive: true });
  return path.join(cache, name);
}

/** Runs a program to its end. Throws with the end of what it wrote when it fails. */
export function run(command: string, values: readonly string[], options: SpawnSyncOptions = {}): void {
  const { status, error, stdout, stderr } = spawnSync(command, values, { maxBuffer: 2 ** 28, ...options });
  if (status === 0) return;
  throw new Error(`${command} failed:\n${stdout}${stderr}`.slice(0, 4000), { cause: error });
}

const running = new Set<ChildProcess>();
const folders = new Set<string>();
process.once('exit', () => {
  for (const child of running) child.kill('SIGKILL');
  for (const folder of folders) rmSync(folder, { recursive: true, force: true });
});

/** A folder that goes when this process ends. */
export function temporaryFolder(): string {
  const folder = mkdtempSync(path.join(tmpdir(), 'portico-bench-'));
  folders.add(folder);
  return folder;
}

export interface Program {
  readonly pid: number;
  readonly child: ChildProcess;
  /** Resolves when `url` answers. Throws with what the program wrote when it ends before, or after `seconds`. */
  answers(url: string, seconds?: number): Promise<void>;
  stop(): Promise<void>;
}

/** `end`: the signal that tells it to. */
export function startProgram(
  command: string,
  values: readonly string[],
  { end = 'SIGTERM', ...options }: SpawnOptions & { end?: NodeJS.Signals } = {},
): Program {
  const file = path.join(temporaryFolder(), 'output');
  const output = openSync(file, 'w');
  const child = spawn(command, values, { ...options, stdio: ['ignore', output, output, 'ipc'] });
  closeSync(output);
  running.add(child);
  if (child.pid === undefined) throw new Missing(`${command} does not start.`);
  const ended = () => child.exitCode !== null || child.signalCode !== null;
  return {
    pid: child.pid,
    child,
    async answers(url, seconds = 60) {
      const deadline = performance.now() + seconds * 1000;
      while (!ended() && performance.now() < deadline) {
        if (
          await fetch(url).then(
            (reply) => reply.ok,
            () => false,
          )
        )
          return;
        await sleep(200);
      }
      const written = readFileSync(file, 'utf8').slice(-4000);
      throw new Error(`${command} does not answer at ${url}:\n${written}`);
    },
    async stop() {
      running.delete(child);
      if (ended()) return;
      const exit = once(child, 'exit');
      child.kill(end);
      await exit;
    },
  };
}
