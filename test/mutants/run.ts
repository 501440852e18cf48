/**
 * Shows that the tests test: applies each patch of mutants.yaml to a copy of the project, one at a time, and
 * runs the tests that carry its requirement ids. One that survives, or no longer fits, fails the run.
 *
 *     npm run test:mutants                 all
 *     npm run test:mutants -- C3 T8        those of some requirements
 *
 * The unpatched copy must pass the same tests first: a test that is red anyway proves nothing. Tests that need
 * MongoDB and Redis are skipped where neither is at hand, and so are the patches that only they can judge.
 */
import { execFileSync, spawn } from 'node:child_process';
import { cpSync, existsSync, mkdtempSync, readFileSync, rmSync, symlinkSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { grepFor, type Mutant, misfit, PROJECT, patched, readMutants } from './mutants.ts';

/** Milliseconds after which a run that hangs counts as red. */
const PATIENCE = 300_000;

type Verdict = 'killed' | 'survived' | 'broken' | 'not judged';

interface Counts {
  readonly passed: number;
  readonly failed: number;
  readonly skipped: number;
  /** The name of the first test that failed. */
  readonly first: string;
}

function copyOfProject(): string {
  const folder = mkdtempSync(path.join(tmpdir(), 'portico-mutants-'));
  const listed = execFileSync('git', ['ls-files', '-co', '--exclude-standard', '-z'], {
    cwd: PROJECT,
    encoding: 'utf8',
    maxBuffer: 64 * 1024 * 1024,
  });
  for (const file of listed.split('\0')) {
    const from = path.join(PROJECT, file);
    if (file === '' || file.startsWith('docs/') || !existsSync(from)) continue;
    cpSync(from, path.join(folder, file), { recursive: true });
  }
  symlinkSync(path.join(PROJECT, 'node_modules'), path.join(folder, 'node_modules'));
  return folder;
}

/** Undefined: the tests did not get as far as to be counted. */
async function runTests(folder: string, mutant: Mutant): Promise<Counts | 'hung' | undefined> {
  const output = path.join(folder, 'counts');
  rmSync(output, { force: true });
  const args = ['node_modules/mocha/bin/mocha.js', '--bail', '--grep', grepFor(mutant)];
  args.push('--reporter-option', `output=${output}`, ...mutant.tests);
  const child = spawn(process.execPath, args, {
    cwd: folder,
    stdio: ['ignore', 'pipe', 'ignore'],
    detached: true,
  });
  let said = '';
  child.stdout.setEncoding('utf8').on('data', (text: string) => {
    said += text;
  });
  const hung = await new Promise<boolean>((resolve, reject) => {
    const timer = setTimeout(() => resolve(true), PATIENCE);
    child.once('error', reject);
    child.once('close', () => {
      clearTimeout(timer);
      resolve(false);
    });
  });
  if (hung && child.pid !== undefined) process.kill(-child.pid, 'SIGKILL');
  if (hung) return 'hung';
  const line = existsSync(output) ? readFileSync(output, 'utf8') : '';
  const found = /^(\d+) passed, (\d+) failed(?:, (\d+) skipped)?/.exec(line);
  if (found === null) return undefined;
  return {
    passed: Number(found[1]),
    failed: Number(found[2]),
    skipped: Number(found[3] ?? 0),
    first: /^ +1\) (.*)$/m.exec(said)?.[1] ?? '',
  };
}

type Baselines = Map<string, Promise<string | undefined>>;

/** Why the unpatched project cannot judge this mutant; undefined: it can. One run serves all that ask the same. */
function unfit(folder: string, mutant: Mutant, baselines: Baselines): Promise<string | undefined> {
  const key = JSON.stringify([grepFor(mutant), mutant.tests]);
  const known = baselines.get(key);
  if (known !== undefined) return known;
  const asked = runTests(folder, mutant).then((counts) => {
    if (counts === undefined || counts === 'hung') return 'without the patch the tests do not run';
    if (counts.failed > 0) return 'the tests are red without the patch';
    if (counts.passed > 0) return undefined;
    return counts.skipped > 0 ? 'skipped' : 'no test carries its ids';
  });
  baselines.set(key, asked);
  return asked;
}

async function judge(
  folder: string,
  mutant: Mutant,
  baselines: Baselines,
): Promise<{ verdict: Verdict; why: string }> {
  const problem = misfit(mutant);
  if (problem !== undefined) return { verdict: 'broken', why: problem };
  const unable = await unfit(folder, mutant, baselines);
  if (unable === 'skipped') return { verdict: 'not judged', why: 'its tests are skipped here' };
  if (unable !== undefined) return { verdict: 'broken', why: unable };
  const file = path.join(folder, mutant.file);
  const source = readFileSync(file, 'utf8');
  writeFileSync(file, patched(mutant, source));
  try {
    const counts = await runTests(folder, mutant);
    if (counts === undefined) return { verdict: 'broken', why: 'with the patch nothing runs at all' };
    if (counts === 'hung') return { verdict: 'killed', why: 'the tests hang' };
    if (counts.failed === 0) return { verdict: 'survived', why: `${counts.passed} tests passed` };
    // A server that does not even start shows nothing about the requirement.
    return { verdict: / hook( for|:|$)/.test(counts.first) ? 'broken' : 'killed', why: counts.first };
  } finally {
    writeFileSync(file, source);
  }
}

async function main(wanted: readonly string[]): Promise<void> {
  const mutants = readMutants().filter(
    ({ ids }) => wanted.length === 0 || ids.some((id) => wanted.includes(id)),
  );
  const folder = copyOfProject();
  for (const signal of ['SIGINT', 'SIGTERM'] as const) process.once(signal, () => process.exit(130));
  process.once('exit', () => rmSync(folder, { recursive: true, force: true }));
  const baselines: Baselines = new Map();
  const tally: Record<Verdict, number> = { killed: 0, survived: 0, broken: 0, 'not judged': 0 };
  for (const [index, mutant] of mutants.entries()) {
    const begun = Date.now();
    process.stdout.write(`[${index + 1}/${mutants.length}] ${mutant.ids.join(' ')}: ${mutant.what} ... `);
    const { verdict, why } = await judge(folder, mutant, baselines);
    tally[verdict] += 1;
    const seconds = Math.round((Date.now() - begun) / 1000);
    const loud = verdict === 'killed' ? verdict : verdict.toUpperCase();
    console.log(`${loud} (${why}; ${seconds} s)`);
  }
  console.log(
    Object.entries(tally)
      .map(([verdict, count]) => `${count} ${verdict}`)
      .join(', '),
  );
  if (mutants.length === 0) console.error('No mutant has these ids.');
  process.exitCode = tally.survived + tally.broken > 0 || mutants.length === 0 ? 1 : 0;
}

if (import.meta.main) await main(process.argv.slice(2));
