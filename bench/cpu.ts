/** What processes cost, as Linux counts it in /proc. */
import { readdirSync, readFileSync } from 'node:fs';
import type { Processes } from './subject.ts';

/** Of a second, in /proc. */
const TICKS = 100;

interface Process {
  readonly parent: number;
  readonly ticks: number;
}

export interface Cpu {
  /** Seconds of user and system time so far. */
  readonly server: number;
  readonly store: number;
  /** Of this process and of the load generators that it started and that have ended. */
  readonly load: number;
  /** Of everything on this machine. */
  readonly machine: number;
}

export function cpuOf({ server, store }: Processes): Cpu {
  const all = steadyProcesses([...server, ...store]);
  const [user = 0, nice = 0, system = 0, , , irq = 0, softIrq = 0] = (
    readFileSync('/proc/stat', 'utf8').split('\n')[0] ?? ''
  )
    .split(/\s+/)
    .slice(1)
    .map(Number);
  return {
    server: secondsOf(all, server),
    store: secondsOf(all, store),
    load: (all.get(process.pid)?.ticks ?? 0) / TICKS,
    machine: (user + nice + system + irq + softIrq) / TICKS,
  };
}

/** Megabytes that the processes hold; pages that they share count once. */
export function memoryOf(pids: readonly number[]): number {
  const kilobytes = family(processes(), pids).map((pid) => {
    const text = textOf(pid, 'smaps_rollup') ?? '';
    return Number(/^Pss:\s+(\d+)/m.exec(text)?.[1] ?? 0);
  });
  return Math.round(kilobytes.reduce((sum, size) => sum + size, 0) / 1024);
}

function secondsOf(all: ReadonlyMap<number, Process>, roots: readonly number[]): number {
  return family(all, roots).reduce((sum, pid) => sum + (all.get(pid)?.ticks ?? 0), 0) / TICKS;
}

/** A child that ends after its parent was read and before it is read itself would count nowhere. */
function steadyProcesses(roots: readonly number[]): Map<number, Process> {
  let last = processes();
  for (let tries = 0; tries < 10; tries += 1) {
    const next = processes();
    if (family(last, roots).every((pid) => next.has(pid))) return next;
    last = next;
  }
  return last;
}

function processes(): Map<number, Process> {
  const found = new Map<number, Process>();
  for (const name of readdirSync('/proc')) {
    if (!/^\d+$/.test(name)) continue;
    const text = textOf(Number(name), 'stat');
    if (text === undefined) continue;
    // The second field is the program's name, which may hold spaces and brackets.
    const [, parent = 0, ...fields] = text
      .slice(text.lastIndexOf(')') + 2)
      .split(' ')
      .map(Number);
    // utime, stime, and those of children that ended.
    const ticks = fields.slice(9, 13).reduce((sum, value) => sum + value, 0);
    found.set(Number(name), { parent, ticks });
  }
  return found;
}

function family(all: ReadonlyMap<number, Process>, roots: readonly number[]): number[] {
  const members = new Set(roots);
  for (let size = -1; size !== members.size; ) {
    size = members.size;
    for (const [pid, { parent }] of all) if (members.has(parent)) members.add(pid);
  }
  return [...members].filter((pid) => all.has(pid));
}

function textOf(pid: number, file: string): string | undefined {
  try {
    return readFileSync(`/proc/${pid}/${file}`, 'utf8');
  } catch {
    // The process has ended.
    return undefined;
  }
}
