/**
 * The connection to the SQLite file. Reads run at once (in WAL a reader never waits for a writer). Writes
 * of one turn of the event loop share one transaction: `synchronous=FULL` costs one flush of the disk per
 * commit, and this way a burst of requests pays for it once. Nothing is acknowledged before its commit.
 *
 * `node:sqlite` is synchronous. A lock held by another process is therefore waited for with timers, not
 * inside SQLite: requests that need no write go on being answered meanwhile.
 */
import { DatabaseSync, type SQLInputValue, type StatementSync } from 'node:sqlite';
import { setTimeout as wait } from 'node:timers/promises';
import { StoreUnavailable } from '../../../core/errors.ts';
import type { Log } from '../../../observe/log.ts';
import { prepareFile } from './database-file.ts';
import { BUSY, CONSTRAINT, explain, failureAtOpen, primaryCode } from './sqlite-errors.ts';

/** Milliseconds that a call waits for the lock of another process before StoreUnavailable. */
const LOCK_PATIENCE = 3000;
/** Milliseconds that SQLite itself may sleep for a lock, the event loop with it. */
const LOCK_SLEEP = 10;
/** Milliseconds that opening may sleep for a lock: another process may be changing the journal mode. */
const OPEN_SLEEP = 5000;
/** Writes that share one transaction at most, so that the lock is never held for long. */
const BATCH = 256;

/** One statement at a time, inside a read or a write. Texts are prepared once and kept. */
export interface Sql {
  get<Row>(text: string, ...values: SQLInputValue[]): Row | undefined;
  all<Row>(text: string, ...values: SQLInputValue[]): Row[];
  /** Resolves with the number of rows changed. */
  run(text: string, ...values: SQLInputValue[]): number;
  exec(text: string): void;
}

export interface Database {
  readonly file: string;
  /** Sees every committed write. `work` must only read, and must not await. */
  read<Result>(work: (sql: Sql) => Result): Promise<Result>;
  /**
   * All or nothing, alone among all processes on the file; resolves after the commit. `work` must not await.
   * `passing`: not flushed to the disk by itself, which costs more than all the rest. The end of the process
   * loses nothing; a power cut may lose the last of them, until a write that is flushed comes after.
   */
  write<Result>(work: (sql: Sql) => Result, options?: { passing: boolean }): Promise<Result>;
  /** Keeps every other process off the file until close(); false when one has it open. */
  hold(): Promise<boolean>;
  close(): Promise<void>;
}

interface PendingWrite {
  readonly work: (sql: Sql) => unknown;
  readonly resolve: (value: unknown) => void;
  readonly reject: (error: unknown) => void;
  readonly deadline: number;
  readonly passing: boolean;
}

export async function openDatabase({ file, log }: { file: string; log: Log }): Promise<Database> {
  prepareFile(file);
  const connection = connect(file);
  const sql = statements(connection);
  const writer = new Writer({ connection, sql, file, log });
  return {
    file,
    read: (work) => readWithPatience({ connection, sql, file, work }),
    write: (work, options) => writer.enqueue(work, options),
    hold: async () => hold(connection),
    async close() {
      await writer.drain();
      if (!connection.isOpen) return;
      optimize(connection, log);
      connection.close();
    },
  };
}

/** Refreshes SQLite's statistics: a nicety, which another process that writes or a full disk may prevent. */
function optimize(connection: DatabaseSync, log: Log): void {
  try {
    connection.exec('PRAGMA optimize');
  } catch (error) {
    log.debug({ err: error }, 'the statistics of the embedded store stay as they are');
  }
}

function connect(file: string): DatabaseSync {
  let connection: DatabaseSync | undefined;
  try {
    connection = new DatabaseSync(file, { timeout: OPEN_SLEEP, enableForeignKeyConstraints: true });
    const mode = connection.prepare('PRAGMA journal_mode = WAL').get()?.journal_mode;
    if (mode !== 'wal') throw new Error(`The journal mode is ${String(mode)}.`);
    connection.exec(
      `PRAGMA synchronous = FULL; PRAGMA trusted_schema = OFF;
       PRAGMA journal_size_limit = 67108864; PRAGMA busy_timeout = ${LOCK_SLEEP}`,
    );
    return connection;
  } catch (error) {
    connection?.close();
    throw failureAtOpen(file, error);
  }
}

/** In this mode the first transaction takes a lock that no other connection shares, reading ones neither. */
function hold(connection: DatabaseSync): boolean {
  connection.exec('PRAGMA locking_mode = EXCLUSIVE');
  try {
    connection.exec('BEGIN IMMEDIATE; COMMIT');
    return true;
  } catch (error) {
    if (primaryCode(error) !== BUSY) throw error;
    connection.exec('PRAGMA locking_mode = NORMAL');
    return false;
  }
}

function statements(connection: DatabaseSync): Sql {
  const prepared = new Map<string, StatementSync>();
  const statement = (text: string): StatementSync => {
    const known = prepared.get(text);
    if (known) return known;
    const fresh = connection.prepare(text);
    prepared.set(text, fresh);
    return fresh;
  };
  return {
    get: <Row>(text: string, ...values: SQLInputValue[]) => statement(text).get(...values) as Row | undefined,
    all: <Row>(text: string, ...values: SQLInputValue[]) => statement(text).all(...values) as Row[],
    run: (text, ...values) => Number(statement(text).run(...values).changes),
    exec: (text) => connection.exec(text),
  };
}

async function readWithPatience<Result>({
  connection,
  sql,
  file,
  work,
}: {
  connection: DatabaseSync;
  sql: Sql;
  file: string;
  work: (sql: Sql) => Result;
}): Promise<Result> {
  const deadline = performance.now() + LOCK_PATIENCE;
  for (;;) {
    if (!connection.isOpen) throw closed(file);
    try {
      return work(sql);
    } catch (error) {
      const code = primaryCode(error);
      if (code === undefined) throw error;
      if (code !== BUSY || performance.now() > deadline) throw unavailable(file, error);
      await wait(jitter());
    }
  }
}

/** The queue of writes of this process. */
class Writer {
  readonly #connection: DatabaseSync;
  readonly #sql: Sql;
  readonly #file: string;
  readonly #log: Log;
  #pending: PendingWrite[] = [];
  #running: Promise<void> | undefined;
  /** What connect() set. */
  #flushes = true;

  constructor(deps: { connection: DatabaseSync; sql: Sql; file: string; log: Log }) {
    this.#connection = deps.connection;
    this.#sql = deps.sql;
    this.#file = deps.file;
    this.#log = deps.log;
  }

  enqueue<Result>(work: (sql: Sql) => Result, { passing } = { passing: false }): Promise<Result> {
    if (!this.#connection.isOpen) return Promise.reject(closed(this.#file));
    return new Promise<Result>((resolve, reject) => {
      const deadline = performance.now() + LOCK_PATIENCE;
      this.#pending.push({ work, resolve: resolve as (value: unknown) => void, reject, deadline, passing });
      this.#running ??= this.#run();
    });
  }

  async drain(): Promise<void> {
    while (this.#running) await this.#running;
  }

  async #run(): Promise<void> {
    // One turn of the event loop: what other requests write in it joins the batch.
    await new Promise((next) => setImmediate(next));
    while (this.#pending.length > 0) {
      if (this.#begin()) this.#commitBatch(this.#pending.splice(0, BATCH));
      else await wait(jitter());
    }
    this.#running = undefined;
  }

  /** False while another process holds the lock, or after every waiting write was refused. */
  #begin(): boolean {
    try {
      this.#flush(this.#pending.slice(0, BATCH).some((write) => !write.passing));
      this.#sql.exec('BEGIN IMMEDIATE');
      return true;
    } catch (error) {
      const now = performance.now();
      const busy = primaryCode(error) === BUSY;
      const refused = this.#pending.filter((write) => !busy || write.deadline <= now);
      this.#pending = this.#pending.filter((write) => !refused.includes(write));
      if (refused.length > 0) this.#refuse(refused, error);
      return false;
    }
  }

  /** One write that must be on the disk takes the whole batch there. */
  #flush(flushes: boolean): void {
    if (flushes === this.#flushes) return;
    this.#sql.exec(`PRAGMA synchronous = ${flushes ? 'FULL' : 'NORMAL'}`);
    this.#flushes = flushes;
  }

  #commitBatch(batch: PendingWrite[]): void {
    const done: { write: PendingWrite; result: unknown }[] = [];
    for (const [index, write] of batch.entries()) {
      const outcome = this.#attempt(write);
      if (outcome.kind === 'done') done.push({ write, result: outcome.result });
      else if (outcome.kind === 'failed') write.reject(outcome.error);
      else {
        // The transaction is gone (a full disk, an I/O error): nothing of this batch was stored.
        this.#rollBack();
        this.#refuse([...done.map((entry) => entry.write), ...batch.slice(index)], outcome.error);
        return;
      }
    }
    try {
      this.#sql.exec('COMMIT');
    } catch (error) {
      this.#rollBack();
      this.#refuse(
        done.map((entry) => entry.write),
        error,
      );
      return;
    }
    for (const { write, result } of done) write.resolve(result);
  }

  /** Runs one write so that its failure undoes it alone. */
  #attempt(
    write: PendingWrite,
  ): { kind: 'done'; result: unknown } | { kind: 'failed' | 'lost'; error: unknown } {
    try {
      this.#sql.exec('SAVEPOINT one');
      const result = write.work(this.#sql);
      this.#sql.exec('RELEASE one');
      return { kind: 'done', result };
    } catch (error) {
      const code = primaryCode(error);
      const ownIssue = code === undefined || code === CONSTRAINT || code === 1;
      if (!ownIssue || !this.#connection.isTransaction) return { kind: 'lost', error };
      this.#sql.exec('ROLLBACK TO one; RELEASE one');
      return { kind: 'failed', error };
    }
  }

  #rollBack(): void {
    if (this.#connection.isTransaction) this.#sql.exec('ROLLBACK');
  }

  #refuse(writes: readonly PendingWrite[], cause: unknown): void {
    const error = unavailable(this.#file, cause);
    this.#log.error({ err: error.cause, writes: writes.length }, 'The embedded store did not write.');
    for (const write of writes) write.reject(error);
  }
}

function unavailable(file: string, error: unknown): StoreUnavailable {
  return new StoreUnavailable('embedded', { cause: new Error(explain(file, error), { cause: error }) });
}

function closed(file: string): StoreUnavailable {
  return new StoreUnavailable('embedded', { cause: new Error(`${file} was closed.`) });
}

/** Milliseconds until the next try for the lock; random, so that two processes do not march in step. */
function jitter(): number {
  return 1 + Math.random() * 10;
}
