/** Puts load on a server for some seconds: by wrk, or by loops of this process where a request is a conversation. */
import { spawn } from 'node:child_process';
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { z } from 'zod';
import { CONNECTIONS, type Load, type Requests } from './subject.ts';

export interface Loaded {
  readonly requests: number;
  readonly seconds: number;
  /** Milliseconds. */
  readonly p50: number;
  readonly p99: number;
}

/** Throws when a reply was not the right one: a fast refusal must not count. */
export function putLoad(load: Load, seconds: number): Promise<Loaded> {
  return 'once' in load ? inLoops(load, seconds) : byWrk(load, seconds);
}

const written = z.object({
  requests: z.number(),
  p50: z.number(),
  p99: z.number(),
  bad: z.number(),
  example: z.string(),
  tokens: z.array(z.string()),
});

async function byWrk(load: Requests, seconds: number): Promise<Loaded> {
  const folder = mkdtempSync(path.join(tmpdir(), 'portico-wrk-'));
  try {
    const url = new URL(load.url);
    const file = path.join(folder, 'load.lua');
    const { method = 'GET', headers = {}, bodies = [], chain, expected } = load;
    const input = { seconds, method, path: url.pathname + url.search, headers, bodies, expected };
    writeFileSync(file, `return ${lua({ ...input, ...(chain && { chain: { ...chain } }) })}`);
    const output = await outputOf('wrk', [
      ...['-t', '1', '-c', String(load.connections ?? CONNECTIONS), '-d', `${seconds}s`, '--timeout', '20s'],
      ...['-s', path.join(import.meta.dirname, 'wrk.lua'), url.origin, '--', file],
    ]);
    const line = /@@(\{.*\})/.exec(output)?.[1];
    if (line === undefined) throw new Error(`wrk: ${output.slice(-500)}`);
    const { requests, p50, p99, bad, example, tokens } = written.parse(JSON.parse(line));
    chain?.tokens.splice(0, chain.tokens.length, ...tokens);
    if (requests === 0) throw new Error(`There was no reply within ${seconds} s.`);
    if (bad > 0) throw new Error(`${bad} of ${requests} replies are wrong: ${example}`);
    return { requests, seconds: chain ? seconds - 0.5 : seconds, p50, p99 };
  } finally {
    rmSync(folder, { recursive: true, force: true });
  }
}

function lua(value: unknown): string {
  if (typeof value === 'string') return JSON.stringify(value);
  if (Array.isArray(value)) return `{${value.map(lua).join(',')}}`;
  if (typeof value !== 'object' || value === null) return String(value);
  return `{${Object.entries(value).map(([name, member]) => `[${lua(name)}]=${lua(member)}`)}}`;
}

function outputOf(program: string, values: readonly string[]): Promise<string> {
  return new Promise((resolve, reject) => {
    const child = spawn(program, values, { stdio: ['ignore', 'pipe', 'pipe'] });
    let output = '';
    for (const stream of [child.stdout, child.stderr]) {
      stream.on('data', (chunk: Buffer) => {
        output += chunk;
      });
    }
    child.once('error', reject).once('close', () => resolve(output));
  });
}

async function inLoops(
  { once, connections }: Extract<Load, { once: unknown }>,
  seconds: number,
): Promise<Loaded> {
  const took: number[] = [];
  const begun = performance.now();
  let turn = 0;
  await Promise.all(
    Array.from({ length: connections }, async () => {
      while (performance.now() - begun < seconds * 1000) {
        const from = performance.now();
        turn += 1;
        await once(turn);
        took.push(performance.now() - from);
      }
    }),
  );
  took.sort((a, b) => a - b);
  const at = (share: number) => took[Math.floor((took.length - 1) * share)] ?? Number.NaN;
  return {
    ...{ requests: took.length, seconds: (performance.now() - begun) / 1000 },
    ...{ p50: at(0.5), p99: at(0.99) },
  };
}
