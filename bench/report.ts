/** A run as a document: medians, spread, ratios. */
import { availableParallelism, cpus, release, totalmem } from 'node:os';
import { CASES, counterpart } from './cases.ts';
import type { Failed, Figure } from './measure.ts';
import type { Subject } from './subject.ts';

export interface Run {
  readonly begun: Date;
  readonly command: string;
  readonly rounds: number;
  readonly seconds: number;
  readonly subjects: readonly Pick<Subject, 'name' | 'version' | 'settings'>[];
  /** Those whose figures are divided by the others’. */
  readonly measured: readonly string[];
  readonly figures: readonly Figure[];
  readonly failures: readonly Failed[];
}

export function reportOf(run: Run): string {
  const names = run.subjects.map(({ name }) => name);
  const cases = CASES.filter((name) => run.figures.some((figure) => figure.case === name));
  const of = (subject: string, name: string) =>
    run.figures.filter((figure) => figure.subject === subject && figure.case === name);
  // Servers and cases without a figure are left out.
  const table = (title: string, about: string, cell: (figures: readonly Figure[]) => string) => {
    const texts = (name: string) =>
      names.map((subject) => {
        const figures = of(subject, name);
        return figures.length === 0 ? '-' : cell(figures);
      });
    const rows = cases.map((name) => [name, ...texts(name)]);
    const shown = [0, ...names.keys().map((index) => index + 1)].filter((column) =>
      rows.some((row) => row[column] !== '-'),
    );
    const kept = rows.filter((row) => row.slice(1).some((text) => text !== '-'));
    const cut = (row: readonly string[]) => shown.map((column) => row[column] ?? '-');
    return [`## ${title}`, about, rowsOf([['case', ...names], ...kept].map(cut))].join('\n');
  };
  return `${[
    `# ${run.begun.toISOString().slice(0, 10)}`,
    describe(run),
    table(
      'Requests per CPU-second',
      'Of the server and its store together. Median (lowest to highest); a sign-in counts as one.',
      (figures) =>
        spread(
          figures.map(({ perCpuSecond }) => perCpuSecond),
          amount,
        ),
    ),
    ...(names.length > 1 ? run.measured : []).map((name) => ratios(run, name, { cases, names, of })),
    table(
      'Requests per second; p50 and p99 in milliseconds',
      'Medians. Connections ask again as soon as they have an answer, so the times are those of a busy server.',
      (figures) =>
        `${amount(median(figures.map(({ perSecond }) => perSecond)))}; ${amount(median(figures.map(({ p50 }) => p50)))}, ${amount(median(figures.map(({ p99 }) => p99)))}`,
    ),
    ...(run.figures.some(({ redisCommands }) => redisCommands !== undefined)
      ? [
          table(
            'Redis',
            'Commands that it runs for a request, those of scripts included. Medians.',
            (figures) => {
              const counts = figures.flatMap(({ redisCommands }) => redisCommands ?? []);
              return counts.length === 0 ? '-' : median(counts).toFixed(1);
            },
          ),
        ]
      : []),
    memory(run),
  ].join('\n\n')}\n`;
}

function ratios(
  run: Run,
  name: string,
  { cases, names, of }: { cases: string[]; names: string[]; of: (subject: string, name: string) => Figure[] },
): string {
  const others = names.filter((other) => other !== name);
  const cell = (own: string, other: string) => {
    const theirs = of(other, run.measured.includes(other) ? own : counterpart(own));
    const quotients = of(name, own).flatMap(({ round, perCpuSecond }) => {
      const paired = theirs.find((figure) => figure.round === round);
      return paired ? [perCpuSecond / paired.perCpuSecond] : [];
    });
    if (quotients.length === 0) return '-';
    const equal = Math.min(...quotients) <= 1 && Math.max(...quotients) >= 1;
    return spread(quotients, (value) => value.toFixed(2)) + (equal ? ', equal' : '');
  };
  const rows = cases
    .filter((own) => of(name, own).length > 0)
    .map((own) => [own, ...others.map((other) => cell(own, other))]);
  return [
    `## ${name} over the others`,
    'Requests per CPU-second over those of the other server in the same round: median (lowest to highest). Equal: the spread holds 1.00.',
    'A dialect’s me stands beside userinfo, its refresh beside that of a public client, a sign-in beside argon2 alone.',
    rowsOf([['case', ...others], ...rows]),
  ].join('\n');
}

function memory({ subjects, figures }: Run): string {
  const rows = subjects.map(({ name }) => {
    const own = figures.filter((figure) => figure.subject === name);
    const most = (part: 'server' | 'store') => Math.max(0, ...own.map((figure) => figure.memory[part]));
    return [name, amount(most('server')), amount(most('store'))];
  });
  const about = 'Megabytes of the server and of its store: the most of all cases and rounds.';
  return ['## Memory under load', about, rowsOf([['server', 'itself', 'store'], ...rows])].join('\n');
}

function describe({ begun, command, rounds, seconds, subjects, figures, failures }: Run): string {
  const others = figures.map((figure) => figure.others);
  const [processor] = cpus();
  return [
    `\`${command}\`, begun ${begun.toISOString()}. Rounds: ${rounds}; seconds for each case: ${seconds}.`,
    '',
    `- Machine: ${processor?.model.trim()}, ${availableParallelism()} cores, ${Math.round(totalmem() / 2 ** 30)} GB, Linux ${release()}, Node ${process.versions.node}.`,
    `- Other work took ${percent(median(others))} of the cores in the median and ${percent(Math.max(...others))} at the most.`,
    ...subjects.map(({ name, version, settings }) => `- ${name} ${version}: ${settings}.`),
    ...failures.map((failed) => `- FAILED: ${failed.case} at ${failed.subject}: ${failed.why}`),
  ].join('\n');
}

function rowsOf([head = [], ...rows]: readonly (readonly string[])[]): string {
  const line = (cells: readonly string[]) => `| ${cells.join(' | ')} |`;
  const rule = `|---|${head
    .slice(1)
    .map(() => '---:|')
    .join('')}`;
  return ['', line(head), rule, ...rows.map(line)].join('\n');
}

export function median(values: readonly number[]): number {
  const sorted = values.toSorted((a, b) => a - b);
  const middle = (sorted.length - 1) / 2;
  return ((sorted[Math.floor(middle)] ?? Number.NaN) + (sorted[Math.ceil(middle)] ?? Number.NaN)) / 2;
}

function spread(values: readonly number[], show: (value: number) => string): string {
  return `${show(median(values))} (${show(Math.min(...values))} to ${show(Math.max(...values))})`;
}

const percent = (share: number) => `${Math.round(share * 100)} %`;

export function amount(value: number): string {
  return value >= 100 ? Math.round(value).toLocaleString('en') : String(Number(value.toFixed(1)));
}
