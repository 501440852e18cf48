/**
 * Shows that the tests test: applies each patch of patches/ to a copy of the project, one at a time, and
 * runs the tests that carry its requirement ids. `node test/mutants/run.ts --help` says the rest.
 *
 * A mutant is killed when, for each of its ids, a test that bears the id and passes without the patch fails in
 * its own body. Nothing else counts: a process that does not start, a server that no hook can bring up, a run
 * that hangs and a test that is red anyway show nothing about the requirement, and fail the run as a survivor does.
 */
import { execFileSync } from 'node:child_process';
import { cpSync, existsSync, mkdtempSync, readFileSync, rmSync, symlinkSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { parseArgs } from 'node:util';
import { type Mutant, misfit, PROJECT, patched, readMutants } from './mutants.ts';
import type { Failure } from './reporter.ts';
import { bears, isRun, runTests, type TestRun } from './run-tests.ts';

const HELP = `npm run test:mutants                  every mutant of test/mutants/patches
npm run test:mutants -- C3 T8         those of some requirements
npm run test:mutants -- src/store     those whose file begins so
npm run test:mutants -- --list        which there are, without running them

Verdicts
  killed         a test that bears the id failed, and passed without the patch
  survived       all tests passed: they do not show the requirement
  only partly    the tests of one of its ids noticed nothing
  not started    nothing ran, or a hook failed before a test could look
  timed out      a test, or the whole run, took too long: nobody looked
  red anyway     the tests fail, or there are none, without the patch
  does not fit   what it replaces is not there once, or a test file is gone
  not judged     its tests are skipped on this machine (no MongoDB, no Redis)

Anything but "killed" and "not judged" fails the run. Tests that need MongoDB and Redis are skipped where neither
is at hand; with CI=true they fail instead.
`;

const VERDICTS = [
  'killed',
  'survived',
  'only partly',
  'not started',
  'timed out',
  'red anyway',
  'does not fit',
  'not judged',
] as const;

interface Judgement {
  readonly verdict: (typeof VERDICTS)[number];
  readonly why: string;
}

function copyOfProject(): string {
  const folder = mkdtempSync(path.join(tmpdir(), 'portico-mutants-'));
  process.once('exit', () => rmSync(folder, { recursive: true, force: true, maxRetries: 5 }));
  const listed = execFileSync('git', ['ls-files', '-co', '--exclude-standard', '-z'], {
    cwd: PROJECT,
    encoding: 'utf8',
    maxBuffer: 64 * 1024 * 1024,
  });
  for (const file of listed.split('\0')) {
    const from = path.join(PROJECT, file);
    if (file === '' || file.startsWith('docs/screenshots/') || !existsSync(from)) continue;
    cpSync(from, path.join(folder, file), { recursive: true });
  }
  symlinkSync(path.join(PROJECT, 'node_modules'), path.join(folder, 'node_modules'));
  return folder;
}

/** What the tests say without a patch. One run serves all mutants that name the same files. */
function createBaselines(folder: string, mutants: readonly Mutant[]): (of: Mutant) => Promise<TestRun> {
  const runs = new Map<string, Promise<TestRun>>();
  return ({ tests }) => {
    const key = tests.join(' ');
    const ids = mutants.filter((other) => other.tests.join(' ') === key).flatMap((other) => other.ids);
    const run = runs.get(key) ?? runTests({ folder, tests, ids: [...new Set(ids)], all: true });
    runs.set(key, run);
    return run;
  };
}

/** Why the unpatched project cannot judge this mutant; undefined: it can. */
function unfit(mutant: Mutant, run: TestRun): Judgement | undefined {
  if (!isRun(run)) return { verdict: 'red anyway', why: `without the patch: ${run.why}` };
  for (const id of mutant.ids) {
    const red = run.failed.find(({ test, kind }) => kind === 'hook' || bears(test, id));
    if (red !== undefined) return { verdict: 'red anyway', why: `${red.test}: ${red.message}` };
    if (run.passed.some((test) => bears(test, id))) continue;
    const skipped = run.skipped.some((test) => bears(test, id));
    if (skipped) return { verdict: 'not judged', why: `the tests of ${id} are skipped here` };
    return { verdict: 'red anyway', why: `no test bears ${id}` };
  }
  return undefined;
}

/** What is no assertion is marked: it may be the patch that broke something else. */
function shownAs({ test, message, kind }: Failure): string {
  return `\n      ${test}\n      ${kind === 'error' ? 'threw: ' : ''}${message}`;
}

function verdictOn(mutant: Mutant, run: TestRun): Judgement {
  if (!isRun(run)) return { verdict: run.hung ? 'timed out' : 'not started', why: run.why };
  const { failed, passed } = run;
  const say = (id: string) => failed.find(({ test, kind }) => kind !== 'hook' && bears(test, id));
  const told = mutant.ids.map(say).filter((failure) => failure !== undefined);
  const shown = [...new Set(told)].map(shownAs).join('');
  if (told.some(({ kind }) => kind === 'timeout')) return { verdict: 'timed out', why: shown };
  if (told.length === mutant.ids.length) return { verdict: 'killed', why: shown };
  const hook = failed.find(({ kind }) => kind === 'hook');
  if (hook !== undefined) return { verdict: 'not started', why: `${hook.test}: ${hook.message}` };
  const blind = mutant.ids.filter((id) => say(id) === undefined).join(', ');
  if (told.length > 0) return { verdict: 'only partly', why: `not ${blind}${shown}` };
  return { verdict: 'survived', why: `${passed.length} tests passed` };
}

async function judge(
  folder: string,
  mutant: Mutant,
  baseline: (of: Mutant) => Promise<TestRun>,
): Promise<Judgement> {
  const issue = misfit(mutant);
  if (issue !== undefined) return { verdict: 'does not fit', why: issue };
  const unable = unfit(mutant, await baseline(mutant));
  if (unable !== undefined) return unable;
  const file = path.join(folder, mutant.file);
  const source = readFileSync(file, 'utf8');
  writeFileSync(file, patched(mutant, source));
  try {
    const { ids, tests } = mutant;
    return verdictOn(mutant, await runTests({ folder, tests, ids, all: ids.length > 1 }));
  } finally {
    writeFileSync(file, source);
  }
}

function since(begun: number): string {
  const seconds = Math.round((Date.now() - begun) / 1000);
  return seconds < 100 ? `${seconds} s` : `${Math.round(seconds / 60)} min`;
}

async function judgeAll(mutants: readonly Mutant[]): Promise<boolean> {
  const folder = copyOfProject();
  for (const signal of ['SIGINT', 'SIGTERM'] as const) process.once(signal, () => process.exit(130));
  const baseline = createBaselines(folder, mutants);
  const all = Date.now();
  const result: { mutant: Mutant; judgement: Judgement }[] = [];
  for (const [index, mutant] of mutants.entries()) {
    const begun = Date.now();
    process.stdout.write(`[${index + 1}/${mutants.length}] ${mutant.ids.join(' ')}: ${mutant.what} ... `);
    const judgement = await judge(folder, mutant, baseline);
    result.push({ mutant, judgement });
    const { verdict, why } = judgement;
    const loud = verdict === 'killed' ? verdict : verdict.toUpperCase();
    console.log(`${loud} (${since(begun)}) ${why}`);
  }
  const counted = VERDICTS.map((verdict) => [
    verdict,
    result.filter((one) => one.judgement.verdict === verdict),
  ]);
  const tally = counted.flatMap(([verdict, those]) => (those?.length ? [`${those.length} ${verdict}`] : []));
  const bad = result.filter(({ judgement }) => !['killed', 'not judged'].includes(judgement.verdict));
  for (const { mutant, judgement } of bad) {
    console.error(
      `${judgement.verdict.toUpperCase()}: ${mutant.ids.join(' ')}: ${mutant.what} (${mutant.file})`,
    );
  }
  console.log(`${mutants.length} mutants in ${since(all)}: ${tally.join(', ')}`);
  return bad.length === 0;
}

async function main(): Promise<void> {
  const { values, positionals } = parseArgs({
    allowPositionals: true,
    options: { help: { type: 'boolean', short: 'h' }, list: { type: 'boolean' } },
  });
  if (values.help) return void process.stdout.write(HELP);
  const wants = ({ ids, file }: Mutant) =>
    positionals.some((word) =>
      word.includes('/') ? file.startsWith(word) : ids.includes(word.toUpperCase()),
    );
  const mutants = readMutants().filter((mutant) => positionals.length === 0 || wants(mutant));
  if (mutants.length === 0) console.error(`There is no mutant of ${positionals.join(' ')}.`);
  if (values.list)
    for (const { ids, what, file } of mutants) console.log(`${ids.join(' ')}: ${what} (${file})`);
  const good = mutants.length > 0 && (values.list || (await judgeAll(mutants)));
  process.exitCode = good ? 0 : 1;
}

if (import.meta.main) await main();
