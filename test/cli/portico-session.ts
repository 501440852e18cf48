/**
 * Runs one command after another in one process, as messages ask: what they do is what they do on a
 * terminal, without a second of loading for each.
 */
import { Readable } from 'node:stream';
import { run } from '../../src/cli.ts';

export interface Asked {
  readonly args: readonly string[];
  readonly input: string;
}

export interface Answered {
  readonly code: number;
  readonly stdout: string;
  readonly stderr: string;
}

let out = '';
let err = '';
process.stdout.write = ((text: string) => {
  out += text;
  return true;
}) as typeof process.stdout.write;
process.stderr.write = ((text: string) => {
  err += text;
  return true;
}) as typeof process.stderr.write;
process.exit = ((code: number) => {
  throw new Error(`process.exit(${code}) is for a process of its own: use run()`);
}) as typeof process.exit;

async function answer({ args, input }: Asked): Promise<Answered> {
  out = '';
  err = '';
  process.exitCode = 0;
  process.argv = [process.execPath, 'portico', ...args];
  Object.defineProperty(process, 'stdin', { value: Readable.from([input]), configurable: true });
  await run();
  const code = Number(process.exitCode ?? 0);
  process.exitCode = 0;
  return { code, stdout: out, stderr: err };
}

process.on('message', async (asked: Asked) => process.send?.(await answer(asked)));
