/**
 * `npm run bench`: Portico beside its peers, on this machine, in one run. Compare figures of one run only, and per
 * CPU-second: how much a second is worth changes with whatever else the machine does. docs/performance.md says more.
 */
import { mkdirSync, writeFileSync } from 'node:fs';
import path from 'node:path';
import { Command, InvalidArgumentError } from 'commander';
import { OperatorError } from '../src/core/errors.ts';
import { CASES, counterpart, PASSWORD_CASES } from './cases.ts';
import { measureAll } from './measure.ts';
import { startArgon2 } from './peers/argon2.ts';
import { startBare } from './peers/bare.ts';
import { startHydra } from './peers/hydra.ts';
import { startKeycloak } from './peers/keycloak.ts';
import { startPortico } from './peers/portico.ts';
import { programOf } from './peers/programs.ts';
import { reportOf } from './report.ts';
import type { Subject } from './subject.ts';

const ROOT = path.join(import.meta.dirname, '..');
const SERVERS = ['bare', 'hydra', 'keycloak', 'portico', 'argon2'];

const counts = (text: string): number[] =>
  text.split(',').map((one) => {
    const value = Number(one);
    if (!Number.isInteger(value) || value < 0) throw new InvalidArgumentError('Give whole numbers.');
    return value;
  });
const count = (text: string): number => counts(text)[0] ?? 0;

/** `a,b`, of which each must begin one of `known`; those of `known` that are meant. */
const among = (known: readonly string[]) => (text: string) => {
  const begins = text.split(',').map((one) => one.trim());
  const unknown = begins.filter((begin) => !known.some((name) => name.startsWith(begin)));
  if (unknown.length > 0) throw new InvalidArgumentError(`${unknown} is none of ${known.join(', ')}.`);
  return known.filter((name) => begins.some((begin) => name.startsWith(begin)));
};

const program = new Command('npm run bench --')
  .description('Portico beside its peers: requests per CPU-second, in interleaved rounds.')
  .option('--rounds <number>', 'rounds that count, after one to warm up', count, 7)
  .option('--seconds <number>', 'of load on each case in a round', count, 2)
  .option('--cases <names>', `how the cases begin: ${CASES.join(', ')}`, among(CASES), [...CASES])
  .option('--servers <names>', SERVERS.join(', '), among(SERVERS), SERVERS)
  .option('--store <kind>', 'of Portico: embedded, or redis beside the stand-in of MongoDB', 'embedded')
  .option('--workers <numbers>', 'processes of Portico; several numbers are several servers', counts, [1])
  .option('--against <folder>', 'another checkout of Portico, as one more server')
  .option('--out <file>', 'where the report goes; whole runs go to bench/results/<date>.md');

type Options = {
  rounds: number;
  seconds: number;
  cases: string[];
  servers: string[];
  store: 'embedded' | 'redis';
  workers: number[];
  against?: string;
  out?: string;
};

const say = (line: string) => process.stderr.write(`${line}\n`);

/** Those that run. */
const subjects: Subject[] = [];
const stop = () => Promise.all(subjects.splice(0).map((subject) => subject.stop()));

async function bench(options: Options): Promise<void> {
  const begun = new Date();
  programOf('wrk', 'It makes the load; Debian has it: apt-get install wrk.');
  try {
    for (const start of starts(options)) {
      const subject = await start();
      say(`${subject.name} ${subject.version} is up`);
      subjects.push(subject);
    }
    const measured = subjects.map(({ name }) => name).filter((name) => name.startsWith('portico'));
    const { rounds, seconds, cases } = options;
    const needed = new Set([...cases, ...cases.map(counterpart)]);
    const { figures, failures } = await measureAll({
      ...{ subjects, rounds, seconds, say },
      cases: CASES.filter((name) => needed.has(name)),
      measures: (subject, name) => (measured.includes(subject) ? cases : [...needed]).includes(name),
    });
    const command = [
      'npm run bench',
      ...(process.argv.length > 2 ? ['--'] : []),
      ...process.argv.slice(2),
    ].join(' ');
    const report = reportOf({
      begun,
      command,
      rounds,
      seconds,
      subjects: [...subjects],
      measured,
      figures,
      failures,
    });
    process.stdout.write(report);
    const whole = cases.length === CASES.length && SERVERS.every((name) => options.servers.includes(name));
    const date = begun.toISOString().slice(0, 10);
    const out = options.out ?? (whole ? path.join(ROOT, 'bench/results', `${date}.md`) : undefined);
    if (out === undefined) return;
    mkdirSync(path.dirname(out), { recursive: true });
    writeFileSync(out, report);
    say(`Written to ${out}.`);
  } finally {
    await stop();
  }
}

function starts({ servers, store, workers, against, cases }: Options): (() => Promise<Subject>)[] {
  const portico = (name: string, root: string) =>
    workers.map((processes) => () => {
      const title = processes === 1 ? name : `${name} ×${processes}`;
      return startPortico({ name: title, root, store, workers: processes });
    });
  const all: Record<string, (() => Promise<Subject>)[]> = {
    bare: [startBare],
    hydra: [startHydra],
    keycloak: [startKeycloak],
    argon2: [() => startArgon2(PASSWORD_CASES)],
    portico: [
      ...portico('portico', ROOT),
      ...(against ? portico('portico before', path.resolve(against)) : []),
    ],
  };
  const passwords = cases.some((name) => PASSWORD_CASES.includes(name));
  return servers.filter((name) => name !== 'argon2' || passwords).flatMap((name) => all[name] ?? []);
}

for (const signal of ['SIGINT', 'SIGTERM'] as const)
  process.once(signal, () => stop().finally(() => process.exit(1)));

try {
  await bench(program.parse().opts<Options>());
} catch (error) {
  if (!(error instanceof OperatorError)) throw error;
  say(error.message);
  process.exitCode = 1;
}
