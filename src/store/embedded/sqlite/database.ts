/**
 * The connection to the SQLite file. Reads run at once (in WAL a reader never waits for a writer). Those of one
 * callback of the event loop share one transaction, whose locks cost more than a read. Writes of one turn of the
 * event loop share one transaction too: `synchronous=FULL` costs one flush of the disk per commit, and this way a
 * burst of requests pays for it once. Nothing is acknowledged before its commit.
 *
 * `node:sqlite` is synchronous. A lock held by another process is therefore waited for with timers, not
 * inside SQLite: requests that need no write go on being answered meanwhile.
 */
import { chmodSync, closeSync, mkdirSync, openSync, statSync } from 'node:fs';
import { dirname } from 'node:path';
import { DatabaseSync, type SQLInputValue, type StatementSync } from 'node:sqlite';
import { setTimeout as wait } from 'node:timers/promises';
import { StoreUnavailable, StoreUnusable } from '../../../core/errors.ts';
import type { Log } from '../../../observe/log.ts';
import { BUSY, CONSTRAINT, explain, explainAccess, primaryCode } from './sqlite-errors.ts';

/** Milliseconds that a call waits for the lock of another process before StoreUnavailable. */
const LOCK_PATIENCE = 3000;
/** Milliseconds that SQLite itself may sleep for a lock, the event loop with it. */
const LOCK_SLEEP = 10;
/** Milliseconds that opening may sleep for a lock: another process may be changing the journal mode. */
const OPEN_SLEEP = 5000;
/** Writes that share one transaction at most, so that the lock is never held for long. */
const BATCH = 256;

/** A moment is stored in milliseconds, truth as 1 or 0, and undefined as NULL. */
export type Value = SQLInputValue | Date | boolean | undefined;

/** One statement at a time, inside a read or a write. Texts are prepared once and kept. */
export interface Sql {
  get<Row>(text: string, ...values: Value[]): Row | undefined;
  all<Row>(text: string, ...values: Value[]): Row[];
  /** Resolves with the number of rows changed. */
  run(text: string, ...values: Value[]): number;
  exec(text: string): void;
}

interface PendingWrite {
  readonly work: (sql: Sql) => unknown;
  readonly resolve: (value: unknown) => void;
  readonly reject: (error: unknown) => void;
  readonly deadline: number;
  readonly passing: boolean;
}

/** Throws StoreUnusable when the file cannot serve as a database, with what to do. */
export async function openDatabase({ file, log }: { file: string; log: Log }): Promise<Database> {
  prepareFile(file);
  return new Database(file, connect(file), log);
}

/**
 * Makes the folder and an empty file that only its owner may read. SQLite gives the files beside it
 * (-wal, -shm) the same mode. A file that others could read already is closed to them.
 */
function prepareFile(file: string): void {
  try {
    mkdirSync(dirname(file), { recursive: true, mode: 0o700 });
    closeSync(openSync(file, 'a', 0o600));
    if ((statSync(file).mode & 0o077) !== 0) chmodSync(file, 0o600);
  } catch (cause) {
    throw new StoreUnusable('embedded', explainAccess(file, cause), { cause });
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
    // Every failure at the start needs an operator.
    throw new StoreUnusable('embedded', explain(file, error), { cause: error });
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
    get: <Row>(text: string, ...values: Value[]) =>
      statement(text).get(...values.map(inputOf)) as Row | undefined,
    all: <Row>(text: string, ...values: Value[]) => statement(text).all(...values.map(inputOf)) as Row[],
    run: (text, ...values) => Number(statement(text).run(...values.map(inputOf)).changes),
    exec: (text) => connection.exec(text),
  };
}

function inputOf(value: Value): SQLInputValue {
  if (typeof value === 'boolean') return value ? 1 : 0;
  return value instanceof Date ? value.getTime() : (value ?? null);
}

export class Database {
  readonly file: string;
  readonly #connection: DatabaseSync;
  readonly #sql: Sql;
  readonly #log: Log;
  /** The queue of writes of this process. */
  #pending: PendingWrite[] = [];
  #running: Promise<void> | undefined;
  /** What connect() set. */
  #flushes = true;
  #isReading = false;

  constructor(file: string, connection: DatabaseSync, log: Log) {
    this.file = file;
    this.#connection = connection;
    this.#sql = statements(connection);
    this.#log = log;
  }

  /** Sees every write that was committed before the callback that is running. `work` must only read, and must not await. */
  async read<Result>(work: (sql: Sql) => Result): Promise<Result> {
    const deadline = performance.now() + LOCK_PATIENCE;
    for (;;) {
      if (!this.#connection.isOpen) throw this.#closed();
      try {
        this.#beginReading();
        return work(this.#sql);
      } catch (error) {
        const code = primaryCode(error);
        if (code === undefined) throw error;
        this.#endReading();
        if (code !== BUSY || performance.now() > deadline) throw this.#unavailable(error);
        await wait(jitter());
      }
    }
  }

  /** Ends with the promises that the running callback settles: what arrives later gets a transaction of its own. */
  #beginReading(): void {
    if (this.#isReading) return;
    this.#sql.run('BEGIN');
    this.#isReading = true;
    queueMicrotask(() => process.nextTick(() => this.#endReading()));
  }

  #endReading(): void {
    if (!this.#isReading) return;
    this.#isReading = false;
    if (this.#connection.isTransaction) this.#sql.run('COMMIT');
  }

  /**
   * All or nothing, alone among all processes on the file; resolves after the commit. `work` must not await.
   * `passing`: not flushed to the disk by itself, which costs more than all the rest. The end of the process
   * loses nothing; a power cut may lose the last of them, until a write that is flushed comes after.
   */
  write<Result>(work: (sql: Sql) => Result, { passing } = { passing: false }): Promise<Result> {
    if (!this.#connection.isOpen) return Promise.reject(this.#closed());
    return new Promise<Result>((resolve, reject) => {
      const deadline = performance.now() + LOCK_PATIENCE;
      this.#pending.push({ work, resolve: resolve as (value: unknown) => void, reject, deadline, passing });
      this.#running ??= this.#run();
    });
  }

  /**
   * Keeps every other process off the file until close(); false when one has it open. In this mode the first
   * transaction takes a lock that no other connection shares, reading ones neither.
   */
  hold(): boolean {
    this.#endReading();
    this.#sql.exec('PRAGMA locking_mode = EXCLUSIVE');
    try {
      this.#sql.exec('BEGIN IMMEDIATE; COMMIT');
      return true;
    } catch (error) {
      if (primaryCode(error) !== BUSY) throw error;
      this.#sql.exec('PRAGMA locking_mode = NORMAL');
      return false;
    }
  }

  async close(): Promise<void> {
    while (this.#running) await this.#running;
    if (!this.#connection.isOpen) return;
    this.#endReading();
    try {
      this.#sql.exec('PRAGMA optimize');
    } catch (error) {
      // A nicety, which another process that writes or a full disk may prevent.
      this.#log.debug({ err: error }, 'the statistics of the embedded store stay as they are');
    }
    this.#connection.close();
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
      this.#endReading();
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
    const undo = (rest: readonly PendingWrite[], cause: unknown) => {
      if (this.#connection.isTransaction) this.#sql.exec('ROLLBACK');
      this.#refuse([...done.map(({ write }) => write), ...rest], cause);
    };
    for (const [index, write] of batch.entries()) {
      const outcome = this.#attempt(write);
      if (outcome.kind === 'done') done.push({ write, result: outcome.result });
      else if (outcome.kind === 'failed') write.reject(outcome.error);
      else {
        // The transaction is gone (a full disk, an I/O error): nothing of this batch was stored.
        undo(batch.slice(index), outcome.error);
        return;
      }
    }
    try {
      this.#sql.exec('COMMIT');
    } catch (error) {
      undo([], error);
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

  #refuse(writes: readonly PendingWrite[], cause: unknown): void {
    const error = this.#unavailable(cause);
    this.#log.error({ err: error.cause, writes: writes.length }, 'The embedded store did not write.');
    for (const write of writes) write.reject(error);
  }

  #unavailable(error: unknown): StoreUnavailable {
    return new StoreUnavailable('embedded', {
      cause: new Error(explain(this.file, error), { cause: error }),
    });
  }

  #closed(): StoreUnavailable {
    return new StoreUnavailable('embedded', { cause: new Error(`${this.file} was closed.`) });
  }
}

/** Milliseconds until the next try for the lock; random, so that two processes do not march in step. */
function jitter(): number {
  return 1 + Math.random() * 10;
}
