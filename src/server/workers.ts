/**
 * Several processes on one port (node:cluster). A worker that dies while it serves is replaced; one that
 * cannot start ends them all, since the next one could not either.
 */

import cluster, { type Worker } from 'node:cluster';
import { setTimeout as pause } from 'node:timers/promises';
import { OperatorError } from '../core/errors.ts';
import type { Log } from '../observe/log.ts';

const ARGUMENT = '--worker';
const STOP = 'stop';
/**
 * As in package.json. By itself the young generation grows to 48 MB, and requests leave little that lives longer than one
 * of them; the old one grows to three times what lives before V8 looks through it.
 */
const MEMORY = ['--max-semi-space-size=4', '--heap-growing-percent=60'];
/** Milliseconds before a worker that died is replaced, so that a fault cannot keep the machine busy. */
const REPLACE_AFTER = 1000;

interface Ready {
  readonly ready: string;
}

/** Which worker this process is, from 0; 0 also without workers. */
export function workerNumber(): number {
  const at = process.argv.indexOf(ARGUMENT);
  return at < 0 ? 0 : Number(process.argv[at + 1] ?? 0);
}

export function tellReady(issuer: string): void {
  process.send?.({ ready: issuer } satisfies Ready);
}

/** The process that looks after the workers asks by message: a signal may have reached the worker already. */
export function whenAskedToStop(stop: () => unknown): void {
  process.on('message', (message) => {
    if (message === STOP) stop();
  });
  // The other process died without a word. By itself Node would end this one at once.
  cluster.worker?.on('disconnect', function (this: Worker) {
    this.exitedAfterDisconnect = true;
    stop();
  });
}

export interface Workers {
  /** The issuer, once every worker serves. Rejects when one cannot start. */
  readonly ready: Promise<string>;
  close(): Promise<void>;
}

export function startWorkers(options: { count: number; program: string; log: Log }): Workers {
  const { count, program, log } = options;
  // Each worker accepts for itself. With Node's round robin this process accepts, and a connection that it
  // hands to a worker in the moment of its death hangs until the client gives up.
  cluster.schedulingPolicy = cluster.SCHED_NONE;
  const alive = new Set<Worker>();
  const serving = new Set<Worker>();
  let closing = false;
  // Where this process ends before its workers, as on a second signal, it leaves none of them behind.
  process.once('exit', () => {
    for (const worker of alive) worker.process.kill('SIGKILL');
  });

  function start(number: number): Promise<string> {
    cluster.setupPrimary({
      exec: program,
      execArgv: [...process.execArgv, ...MEMORY],
      args: [...process.argv.slice(2), ARGUMENT, String(number)],
    });
    const worker = cluster.fork();
    alive.add(worker);
    return new Promise((resolve, reject) => {
      worker.on('message', (message: Ready) => {
        serving.add(worker);
        resolve(message.ready);
      });
      worker.once('exit', (code, signal) => {
        alive.delete(worker);
        if (closing) return;
        // It has said why on standard error.
        if (!serving.delete(worker)) reject(new WorkerFailed());
        else void replace(number, { exitCode: code, signal });
      });
    });
  }

  async function replace(number: number, ended: { exitCode: number; signal: string }): Promise<void> {
    log.error({ worker: number, ...ended }, 'a worker died and is replaced');
    await pause(REPLACE_AFTER);
    if (closing) return;
    await start(number).catch(async () => {
      log.fatal({ worker: number }, 'a worker could not be replaced: the workers stop');
      await close();
      process.exit(1);
    });
  }

  async function close(): Promise<void> {
    closing = true;
    await Promise.all([...alive].map((worker) => end(worker, { serves: serving.has(worker) })));
  }

  const ready = Promise.all(Array.from({ length: count }, (_, number) => start(number))).then(
    ([issuer = '']) => issuer,
  );
  return {
    ready: ready.catch(async (error) => {
      await close();
      throw error;
    }),
    close,
  };
}

class WorkerFailed extends OperatorError {
  constructor() {
    super('A worker process could not start.');
  }
}

/** By message where the worker serves: one that is still loading its program would miss it, and gets a signal. */
function end(worker: Worker, { serves }: { serves: boolean }): Promise<unknown> {
  const ended = new Promise((resolve) => worker.once('exit', resolve));
  // The terminal's signal may have ended the worker a moment ago: then the message cannot be sent.
  if (serves && worker.isConnected()) worker.send(STOP, () => {});
  else worker.kill();
  return ended;
}
