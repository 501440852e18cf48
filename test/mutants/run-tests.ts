/** Runs the tests that bear some requirement ids, in a process of their own, and says what became of them. */
import { type ChildProcess, spawn } from 'node:child_process';
import { existsSync, readFileSync, rmSync } from 'node:fs';
import path from 'node:path';
import type { Report } from './reporter.ts';

/** Milliseconds after which a run counts as hung. */
const PATIENCE = 300_000;

/** A report, or why there is none. */
export type TestRun = Report | { readonly hung: boolean; readonly why: string };

export const isRun = (run: TestRun): run is Report => 'passed' in run;

/** True when the name of a test carries the id as a word: T1 is not T11. */
export const bears = (test: string, id: string): boolean => new RegExp(`\\b${id}\\b`).test(test);

/** With `all` to the end, otherwise until the first test fails. */
export async function runTests(asked: {
  folder: string;
  tests: readonly string[];
  ids: readonly string[];
  all: boolean;
}): Promise<TestRun> {
  const { folder, tests, ids, all } = asked;
  const output = path.join(folder, 'report.json');
  rmSync(output, { force: true });
  const args = ['node_modules/mocha/bin/mocha.js', '--grep', `\\b(?:${ids.join('|')})\\b`];
  args.push('--reporter', './test/mutants/reporter.ts', '--reporter-option', `output=${output}`);
  if (!all) args.push('--bail');
  const child = spawn(process.execPath, [...args, ...tests], {
    cwd: folder,
    stdio: ['ignore', 'ignore', 'pipe'],
    // A group of its own: what the tests start ends with it.
    detached: true,
  });
  const { hung, said } = await ended(child);
  if (hung) return { hung, why: `nothing came within ${PATIENCE / 1000} s` };
  if (existsSync(output)) return JSON.parse(readFileSync(output, 'utf8'));
  const [why = 'the tests ended without a word'] = /^.*Error.*$/m.exec(said) ?? [];
  return { hung: false, why };
}

async function ended(child: ChildProcess): Promise<{ hung: boolean; said: string }> {
  let said = '';
  child.stderr?.setEncoding('utf8').on('data', (text: string) => {
    said = (said + text).slice(-20_000);
  });
  const end = () => {
    try {
      if (child.pid !== undefined) process.kill(-child.pid, 'SIGKILL');
    } catch {
      // The whole group has ended.
    }
  };
  // Before the folder goes that they write into.
  process.prependOnceListener('exit', end);
  const hung = await new Promise<boolean>((resolve, reject) => {
    const timer = setTimeout(() => resolve(true), PATIENCE);
    child.once('error', reject);
    child.once('exit', () => {
      clearTimeout(timer);
      resolve(false);
    });
  });
  end();
  process.off('exit', end);
  return { hung, said };
}
