/**
 * The server as a process: loads the configuration, starts the server, and stops it in order on a signal. With
 * http.workers above 1 this process only looks after the others (src/server/workers.ts).
 */
import cluster from 'node:cluster';
import { extname, join } from 'node:path';
import closeWithGrace from 'close-with-grace';
import { whyNotPort } from '../config/load.ts';
import type { Config } from '../config/schema.ts';
import { collector } from '../core/collector.ts';
import { createLog, type Log } from '../observe/log.ts';
import { loadConfiguration } from './configuration.ts';
import { explainFailure } from './operator-errors.ts';
import { tellReady, whenAskedToStop, workerNumber } from './workers.ts';

/** What worker processes run. In a built package it is main.js. */
const FROM_SOURCES = extname(import.meta.filename) === '.ts';
const MAIN = join(import.meta.dirname, FROM_SOURCES ? '../../bin/server.js' : '../main.js');

const STOP_SIGNALS = ['SIGINT', 'SIGTERM', 'SIGHUP'] as const;
/** In the log of a worker that is asked to stop by message, in the place of a signal. */
const NO_SIGNAL = 'none';
/** Milliseconds in which further signals are one stop: a terminal and a service manager tell npm and this process. */
const SAME_STOP = 2000;

/** Milliseconds. Orchestrators wait ten seconds before they kill. */
const GRACE = 9000;

export async function serveUntilStopped(): Promise<void> {
  try {
    const config = await loadConfiguration();
    const log = createLog({ level: config.log.level });
    const notPort = cluster.isPrimary ? whyNotPort(config) : undefined;
    if (notPort !== undefined) log.warn(notPort);
    if (cluster.isPrimary && config.http.workers > 1) await superviseWorkers(config, log);
    else await serve(config, log);
  } catch (error) {
    process.stderr.write(`${explainFailure(error)}\n`);
    process.exit(1);
  }
}

async function serve(config: Config, log: Log): Promise<void> {
  // Not loaded where workers do the serving.
  const { startServer } = await import('./server.ts');
  const stopped = new AbortController();
  const starting = startServer(ofThisWorker(config), { log, stopped: stopped.signal }).catch((error) => {
    // The start broke off, with nothing left open.
    if (stopped.signal.aborted) return undefined;
    throw error;
  });
  // Before the port answers, so that a server that is still starting stops in order too.
  const stop = stopInOrder(log, async ({ err, signal }) => {
    if (err) log.fatal(err, 'uncaught error: the server stops');
    else log.info({ signal }, 'stopping');
    stopped.abort();
    await (await starting)?.close();
    log.info('stopped');
  });
  if (cluster.isWorker) whenAskedToStop(stop);
  const server = await starting;
  if (server === undefined || stopped.signal.aborted) return;
  // In the turn that makes the server ready: no request waits for it that was not waiting already.
  giveBackMemory();
  log.info({ issuer: server.issuer, url: server.url, environment: config.environment }, 'ready');
  if (cluster.isWorker) tellReady(server.issuer);
  else await printStartBlock(config, server.issuer);
}

/**
 * Starting leaves a third of the heap as garbage, which V8 keeps until requests make it look, and a young generation of
 * its full size. A collection costs some 40 ms of the start and gives 12 MB back.
 */
function giveBackMemory(): void {
  collector()({ flavor: 'last-resort' });
}

async function superviseWorkers(config: Config, log: Log): Promise<void> {
  const { startWorkers } = await import('./workers.ts');
  const workers = startWorkers({ count: config.http.workers, program: MAIN, log });
  stopInOrder(log, async ({ err }) => {
    if (err) log.fatal(err, 'uncaught error: the workers stop');
    await workers.close();
  });
  await printStartBlock(config, await workers.ready);
}

/** Stops on a signal or an uncaught error, and ends the process. A second signal ends it at once. */
function stopInOrder(log: Log, work: (why: { err?: Error; signal?: string }) => Promise<void>): () => void {
  let asked: { signal: string; at: number } | undefined;
  const options = { delay: GRACE, logger: log, skip: [...STOP_SIGNALS] };
  const { close } = closeWithGrace(options, (why) => work({ ...why, ...asked }));
  const stop = (signal: string = NO_SIGNAL) => {
    const at = performance.now();
    if (asked === undefined) {
      asked = { signal, at };
      close();
    } else if (signal !== NO_SIGNAL && at - asked.at > SAME_STOP) process.exit(1);
  };
  for (const signal of STOP_SIGNALS) process.on(signal, stop);
  return stop;
}

/** The internal listener tells one process's figures, so each worker has its own: port, port + 1, ... */
function ofThisWorker(config: Config): Config {
  const { internal } = config.http;
  const number = workerNumber();
  if (number === 0 || internal.port === null || internal.port === 0) return config;
  return { ...config, http: { ...config.http, internal: { ...internal, port: internal.port + number } } };
}

async function printStartBlock(config: Config, issuer: string): Promise<void> {
  if (config.environment !== 'development') return;
  const { startBlock } = await import('./startup-banner.ts');
  const block = await startBlock({ config, issuer });
  // As in the log: a reader that has gone, or a full disk, does not end the server.
  process.stdout.removeAllListeners('error').on('error', () => {});
  process.stdout.write(block);
}
