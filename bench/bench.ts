/**
 * `npm run bench`: Portico beside its peers, on this machine, in one run. Compare figures of one run only, and per
 * CPU-second: how much a second is worth changes with whatever else the machine does. docs/performance.md says more.
 */
import { mkdirSync, writeFileSync } from 'node:fs';
import path from 'node:path';
import { Command, InvalidArgumentError, Option } from 'commander';
import { OperatorError } from '../src/core/errors.ts';
import { CASES, counterpart, WITHOUT_WRK } from './cases.ts';
import { measureAll } from './measure.ts';
import { programOf } from './peers/programs.ts';
import { reportOf } from './report.ts';
import { type Choice, SERVERS, starts } from './servers.ts';
import type { Subject } from './subject.ts';

const counts = (text: string): number[] =>
  text.split(',').map((one) => {
    const value = Number(one);
    if (!/^\d+$/.test(one) || !Number.isSafeInteger(value))
      throw new InvalidArgumentError('Give whole numbers.');
    return value;
  });

function count(text: string): number {
  const [value = 0] = counts(text);
  if (value === 0) throw new InvalidArgumentError('Give a whole number over 0.');
  return value;
}

/** `a,b`, each of which begins some of `known`: those that are meant. */
const among = (known: readonly string[]) => (text: string) => {
  const begins = text.split(',').map((one) => one.trim());
  const unknown = begins.filter((begin) => !known.some((name) => name.startsWith(begin)));
  if (unknown.length > 0) throw new InvalidArgumentError(`'${unknown}' begins none of ${known.join(', ')}.`);
  return known.filter((name) => begins.some((begin) => name.startsWith(begin)));
};

const options = new Command('npm run bench --')
  .description('Portico beside its peers: requests per CPU-second, in interleaved rounds.')
  .option('--rounds <number>', 'that count; one before them warms up', count, 7)
  .option('--seconds <number>', 'of load on each case in a round', count, 2)
  .addOption(
    new Option('--cases <names>', `or how they begin: ${CASES.join(', ')}`)
      .argParser(among(CASES))
      .default(CASES, 'all'),
  )
  .addOption(
    new Option('--servers <names>', SERVERS.join(', ')).argParser(among(SERVERS)).default(SERVERS, 'all'),
  )
  .addOption(
    new Option('--store <kind>', 'of Portico; redis has the stand-in of MongoDB beside it')
      .choices(['embedded', 'redis'] as const)
      .default('embedded' as const),
  )
  .option('--workers <numbers>', 'processes of Portico; several numbers are several servers', counts, [1])
  .option(
    '--grants <numbers>',
    'in the store from the start, likewise; beside Redis, access tokens in it',
    counts,
    [],
  )
  .option('--accounts <numbers>', 'in the embedded store, likewise; as many numbers as of grants', counts, [])
  .option('--against <folder>', 'another checkout of Portico, as one more server')
  .option(
    '--out <file>',
    'where the report goes; without it that of all cases at all servers goes to bench/results',
  )
  .parse()
  .opts<Choice & { rounds: number; seconds: number; out?: string }>();

const say = (line: string) => process.stderr.write(`${line}\n`);

/** Those that run. */
const subjects: Subject[] = [];
const stop = () => Promise.all(subjects.splice(0).map((subject) => subject.stop()));

async function bench(): Promise<void> {
  const begun = new Date();
  const { rounds, seconds, cases, servers } = options;
  if (cases.some((name) => !WITHOUT_WRK.includes(name)))
    programOf('wrk', 'It makes the load; Debian: apt-get install wrk.');
  for (const start of starts(options)) {
    const subject = await start();
    subjects.push(subject);
    say(`${subject.name} ${subject.version} is up`);
  }
  const measured = subjects.map(({ name }) => name).filter((name) => name.startsWith('portico'));
  const all = new Set([...cases, ...cases.map(counterpart)]);
  const result = await measureAll({
    ...{ subjects, rounds, seconds, say, cases: CASES.filter((name) => all.has(name)) },
    measures: (subject, name) => !measured.includes(subject) || cases.includes(name),
  });
  const given = process.argv.slice(2);
  const command = ['npm run bench', ...(given.length > 0 ? ['--', ...given] : [])].join(' ');
  const report = reportOf({ begun, command, rounds, seconds, subjects: [...subjects], measured, ...result });
  process.stdout.write(report);
  const whole = cases.length === CASES.length && servers.length === SERVERS.length;
  const inResults = path.join(import.meta.dirname, 'results', `${begun.toISOString().slice(0, 10)}.md`);
  const out = options.out ?? (whole ? inResults : undefined);
  if (out === undefined) return;
  mkdirSync(path.dirname(out), { recursive: true });
  writeFileSync(out, report);
  say(`Written to ${out}.`);
}

for (const signal of ['SIGINT', 'SIGTERM'] as const) {
  process.once(signal, () => void stop().finally(() => process.exit(1)));
}

try {
  await bench();
} catch (error) {
  if (!(error instanceof OperatorError)) throw error;
  say(error.message);
  process.exitCode = 1;
} finally {
  await stop();
}
