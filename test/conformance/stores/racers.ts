import { type ChildProcess, fork } from 'node:child_process';
import { once } from 'node:events';
import type { BackEnd } from './back-end.ts';
import type { Task, TaskDone } from './racer.ts';

/** Two processes are what shows a race; more only share the same cores. */
const PROCESSES = 2;
/** Milliseconds for the tasks to reach every process before they start. */
const HEAD_START = 15;

export interface Racers {
  /**
   * Makes the calls at once, spread over the processes, and resolves with their results in order.
   * `call` names a port's method ('codes.attempt') or a procedure of procedures.ts.
   */
  race(call: string, calls: readonly (readonly unknown[])[]): Promise<unknown[]>;
  close(): Promise<void>;
}

export async function startRacers(backEnd: Pick<BackEnd, 'config'>): Promise<Racers> {
  const children = await Promise.all(Array.from({ length: PROCESSES }, () => startRacer(backEnd.config)));
  let tasks = 0;
  return {
    async race(call, calls) {
      tasks += 1;
      const startAt = Date.now() + HEAD_START;
      const shares = children.map((child, index) => {
        const share = calls.filter((_, position) => position % PROCESSES === index);
        return runTask(child, { id: tasks, call, calls: share, startAt });
      });
      const done = await Promise.all(shares);
      return calls.map((_, position) => {
        const result = done[position % PROCESSES]?.results[Math.floor(position / PROCESSES)];
        if (result?.error !== undefined) throw new Error(`${call} failed in a racer: ${result.error}`);
        return result?.value;
      });
    },
    async close() {
      await Promise.all(
        children.map(async (child) => {
          const ended = once(child, 'exit');
          child.disconnect();
          await ended;
        }),
      );
    },
  };
}

async function startRacer(config: unknown): Promise<ChildProcess> {
  const child = fork(new URL('./racer.ts', import.meta.url), [JSON.stringify(config)], {
    serialization: 'advanced',
    execArgv: [],
  });
  const [message] = await Promise.race([
    once(child, 'message'),
    once(child, 'exit').then(() => ['ended before it was ready']),
  ]);
  if (message !== 'ready') throw new Error(`The racer ${message}.`);
  return child;
}

function runTask(child: ChildProcess, task: Task): Promise<TaskDone> {
  return new Promise((resolve, reject) => {
    const onExit = () => reject(new Error('A racer died.'));
    const onMessage = (done: TaskDone) => {
      if (done.id !== task.id) return;
      child.off('exit', onExit);
      child.off('message', onMessage);
      resolve(done);
    };
    child.on('exit', onExit);
    child.on('message', onMessage);
    child.send(task);
  });
}
