/**
 * The rounds. In each, every case is measured at one server after the other, forwards and then backwards, so that
 * whatever else the machine does falls on all alike. Servers stay up from the first round to the last.
 */
import { availableParallelism } from 'node:os';
import { casesOf } from './cases.ts';
import { type Cpu, cpuOf, memoryOf } from './cpu.ts';
import { putLoad } from './load.ts';
import { amount } from './report.ts';
import type { Load, Subject } from './subject.ts';

export interface Figure {
  readonly round: number;
  readonly case: string;
  readonly subject: string;
  /** Requests, or sign-ins. */
  readonly perSecond: number;
  /** Per CPU-second of the server and its store. */
  readonly perCpuSecond: number;
  /** Commands that its Redis ran for each, where it has one. */
  readonly redisCommands: number | undefined;
  /** Milliseconds. */
  readonly p50: number;
  readonly p99: number;
  /** Megabytes. */
  readonly memory: { readonly server: number; readonly store: number };
  /** The part of the machine’s cores that was taken by anything but the server, its store and the load. */
  readonly others: number;
}

export interface Failed {
  readonly case: string;
  readonly subject: string;
  readonly why: string;
}

export interface Plan {
  readonly subjects: readonly Subject[];
  /** Which cases are measured at which subject. */
  readonly measures: (subject: string, name: string) => boolean;
  readonly cases: readonly string[];
  readonly rounds: number;
  readonly seconds: number;
  readonly say: (line: string) => void;
}

export async function measureAll(plan: Plan): Promise<{ figures: Figure[]; failures: Failed[] }> {
  const figures: Figure[] = [];
  const failures: Failed[] = [];
  const steps = plan.cases.map((name) =>
    plan.subjects.flatMap((subject) => {
      const prepare = plan.measures(subject.name, name) ? casesOf(subject)[name] : undefined;
      return prepare ? [{ name, subject, prepare }] : [];
    }),
  );
  // The first round is not counted: the servers compile what they run.
  for (let round = 0; round <= plan.rounds; round += 1) {
    for (const step of steps) {
      const said: string[] = [];
      for (const { name, subject, prepare } of round % 2 === 0 ? step : step.toReversed()) {
        try {
          if (round === 0) {
            await warmUp(subject, prepare, plan.seconds);
            continue;
          }
          const figure = await measure({ round, name, subject, seconds: plan.seconds }, await prepare());
          figures.push(figure);
          said.push(`${subject.name} ${amount(figure.perCpuSecond)}`);
        } catch (error) {
          const why = String(error).slice(0, 500);
          said.push(`${subject.name} FAILED: ${why}`);
          if (round > 0) failures.push({ case: name, subject: subject.name, why });
        }
      }
      const name = step[0]?.name;
      if (name && (round > 0 || said.length > 0))
        plan.say(`${round === 0 ? 'warm-up' : `round ${round}`}, ${name}: ${said.join(', ')}`);
    }
  }
  return { figures, failures };
}

/** In short runs, until the server has worked as long as it needs. */
async function warmUp(subject: Subject, prepare: () => Promise<Load>, seconds: number): Promise<void> {
  const before = cpuOf(subject.processes).server;
  const begun = performance.now();
  const needed = subject.warmUp * seconds;
  do await putLoad(await prepare(), seconds);
  while (cpuOf(subject.processes).server - before < needed && performance.now() - begun < needed * 3000);
}

async function measure(
  { round, name, subject, seconds }: { round: number; name: string; subject: Subject; seconds: number },
  load: Load,
): Promise<Figure> {
  const commandsBefore = await subject.redisCommands?.();
  const before = cpuOf(subject.processes);
  const begun = performance.now();
  const loaded = await putLoad(load, seconds);
  const wall = (performance.now() - begun) / 1000;
  const after = cpuOf(subject.processes);
  const commands = await subject.redisCommands?.();
  const spent = (of: keyof Cpu) => after[of] - before[of];
  const [server, store] = [spent('server'), spent('store')];
  return {
    ...{ round, case: name, subject: subject.name, p50: loaded.p50, p99: loaded.p99 },
    perSecond: loaded.requests / loaded.seconds,
    perCpuSecond: loaded.requests / (server + store),
    redisCommands: commands === undefined ? undefined : (commands - (commandsBefore ?? 0)) / loaded.requests,
    memory: { server: memoryOf(subject.processes.server), store: memoryOf(subject.processes.store) },
    others: Math.max(0, (spent('machine') - server - store - spent('load')) / wall / availableParallelism()),
  };
}
