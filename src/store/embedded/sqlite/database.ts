/**
 * The connection to the SQLite file. Reads run at once (in WAL a reader never waits for a writer). Those of one
 * callback of the event loop share one transaction, whose locks cost more than a read. Writes of one turn of the
 * event loop share one transaction too, and transactions share flushes. Nothing is acknowledged before its
 * commit, and what must last not before its flush.
 *
 * `node:sqlite` is synchronous. A lock held by another process is therefore waited for with timers, not
 * inside SQLite: requests that need no write go on being answered meanwhile.
 */
import type { DatabaseSync } from 'node:sqlite';
import { setTimeout as wait } from 'node:timers/promises';
import { StoreUnavailable } from '../../../core/errors.ts';
import type { Log } from '../../../observe/log.ts';
import { connect, prepareFile } from './connection.ts';
import { createFlusher, type Flusher } from './flusher.ts';
import { BUSY, CONSTRAINT, explain, primaryCode } from './sqlite-errors.ts';
import { type Sql, statements } from './statements.ts';
import { ReadWatch } from './watch.ts';

export type { Sql, Value } from './statements.ts';

/** Milliseconds that a call waits for the lock of another process before StoreUnavailable. */
const LOCK_PATIENCE = 3000;
/** Writes that share one transaction at most, so that the lock is never held for long. */
const BATCH = 256;
/** Milliseconds until a passing write is flushed, unless another write takes it along before. */
const FLUSH_AFTER = 1000;

interface PendingWrite {
  readonly work: (sql: Sql) => unknown;
  readonly resolve: (value: unknown) => void;
  readonly reject: (error: unknown) => void;
  /** Of the wait for the lock, from the first try. */
  deadline?: number;
  readonly passing: boolean;
  readonly patient: boolean;
}

interface Done {
  readonly write: PendingWrite;
  readonly result: unknown;
}

/** Throws StoreUnusable when the file cannot serve as a database, with what to do. */
export async function openDatabase({ file, log }: { file: string; log: Log }): Promise<Database> {
  prepareFile(file);
  return new Database(file, await connect(file), log);
}

export class Database {
  readonly file: string;
  readonly watch: ReadWatch;
  readonly #connection: DatabaseSync;
  readonly #sql: Sql;
  readonly #log: Log;
  /** The queue of writes of this process. */
  #pending: PendingWrite[] = [];
  #running: Promise<void> | undefined;
  #isReading = false;
  /** Whether each write of the next batch is run so that its failure undoes it alone. */
  #careful = false;
  readonly #flusher: Flusher;
  /** Waits to flush what passing writes left. */
  #soon: NodeJS.Timeout | undefined;
  /** Ends the wait of writes for the flush under way. */
  #hurry: (() => void) | undefined;
  /** Why a flush failed. The log may lack a part since, whatever later flushes say: the system tells it once. */
  #doubt: { readonly cause: unknown } | undefined;

  constructor(file: string, connection: DatabaseSync, log: Log) {
    this.file = file;
    this.#connection = connection;
    this.watch = new ReadWatch(() => this.#dataVersion());
    this.#sql = statements(connection, this.watch);
    this.#log = log;
    this.#flusher = createFlusher(file);
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

  /** Of the transaction that reads now. It differs from the one before if another connection wrote in between. */
  #dataVersion(): number | undefined {
    try {
      this.#beginReading();
      return this.#sql.get<{ data_version: number }>('PRAGMA data_version')?.data_version;
    } catch {
      this.#endReading();
      return undefined;
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
   * All or nothing, alone among all processes on the file; resolves when it is on the disk. `work` must not await.
   * `passing`: resolves after the commit, and a flush, which costs more than all the rest, comes within a second.
   * The end of the process loses nothing; a power cut may lose the last second. `patient`: no reply waits for it.
   */
  write<Result>(
    work: (sql: Sql) => Result,
    { passing, patient = !passing }: { passing: boolean; patient?: boolean } = { passing: false },
  ): Promise<Result> {
    if (!this.#connection.isOpen) return Promise.reject(this.#closed());
    this.watch.noteQueuedWrite();
    return new Promise<Result>((resolve, reject) => {
      const settle = { resolve: resolve as (value: unknown) => void, reject };
      this.#pending.push({ work, ...settle, passing, patient });
      if (!patient) this.#hurry?.();
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
    clearTimeout(this.#soon);
    if (!this.#connection.isOpen) return;
    await this.#flusher.close();
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
      await this.#flushOfOthers();
      if (this.#begin()) this.#commitBatch(this.#pending.splice(0, BATCH));
      else await wait(jitter());
    }
    this.#running = undefined;
  }

  /**
   * While a flush is under way, what must last gains nothing by its commit: it is on the disk with the next flush, which
   * begins after this one. Whatever arrives until then shares its transaction.
   */
  async #flushOfOthers(): Promise<void> {
    const { running } = this.#flusher;
    if (running === undefined || this.#pending.some(({ patient }) => !patient)) return;
    const hurried = new Promise<void>((resolve) => {
      this.#hurry = resolve;
    });
    await Promise.race([running.catch(() => {}), hurried]);
    this.#hurry = undefined;
  }

  /** After a flush that failed all of the log goes into the file, or nothing that must last is taken. */
  #settleDoubt(): void {
    const lasting = this.#pending.filter(({ passing }) => !passing);
    if (this.#doubt === undefined || lasting.length === 0 || this.#emptyLog()) return;
    this.#pending = this.#pending.filter(({ passing }) => passing);
    this.#refuse(lasting, this.#doubt.cause);
  }

  /** Also where another process reads or writes it is not possible now. */
  #emptyLog(): boolean {
    try {
      this.#endReading();
      const outcome = this.#sql.get<{ busy: number }>('PRAGMA wal_checkpoint(TRUNCATE)');
      if (outcome?.busy === 0) this.#doubt = undefined;
    } catch (error) {
      this.#log.debug({ err: error }, 'the log of the embedded store could not be emptied');
    }
    return this.#doubt === undefined;
  }

  /** False while another process holds the lock, or after every waiting write was refused. */
  #begin(): boolean {
    this.#settleDoubt();
    if (this.#pending.length === 0) return false;
    try {
      this.#endReading();
      this.#sql.run('BEGIN IMMEDIATE');
      return true;
    } catch (error) {
      const now = performance.now();
      const busy = primaryCode(error) === BUSY;
      for (const write of this.#pending) write.deadline ??= now + LOCK_PATIENCE;
      const refused = this.#pending.filter(({ deadline = now }) => !busy || deadline <= now);
      this.#pending = this.#pending.filter((write) => !refused.includes(write));
      if (refused.length > 0) this.#refuse(refused, error);
      return false;
    }
  }

  #commitBatch(batch: readonly PendingWrite[]): void {
    const done = this.#careful ? this.#attemptEach(batch) : this.#attemptAll(batch);
    this.#careful = !this.#careful && done === undefined;
    if (done === undefined) return;
    try {
      this.#sql.run('COMMIT');
    } catch (error) {
      this.#undo(
        done.map(({ write }) => write),
        error,
      );
      return;
    }
    const lasting = done.filter(({ write }) => !write.passing);
    for (const { write, result } of done) if (write.passing) write.resolve(result);
    if (lasting.length > 0) void this.#acknowledge(lasting);
    else this.#soon ??= setTimeout(() => void this.#acknowledge([]), FLUSH_AFTER).unref();
  }

  /** When their commit is on the disk, and all that was written before it. */
  async #acknowledge(lasting: readonly Done[]): Promise<void> {
    clearTimeout(this.#soon);
    this.#soon = undefined;
    try {
      await this.#flusher.flush();
      for (const { write, result } of lasting) write.resolve(result);
    } catch (error) {
      this.#doubt = { cause: error };
      this.#refuse(
        lasting.map(({ write }) => write),
        error,
      );
    }
  }

  /**
   * Runs them without a savepoint for each, which costs more than its rows. Undefined: one failed, so nothing was done,
   * and all are run again, each on its own.
   */
  #attemptAll(batch: readonly PendingWrite[]): Done[] | undefined {
    try {
      return batch.map((write) => ({ write, result: write.work(this.#sql) }));
    } catch {
      if (this.#connection.isTransaction) this.#sql.exec('ROLLBACK');
      this.#pending.unshift(...batch);
      return undefined;
    }
  }

  /** Undefined: the transaction is gone (a full disk, an I/O error), and all are refused. */
  #attemptEach(batch: readonly PendingWrite[]): Done[] | undefined {
    const done: Done[] = [];
    for (const [index, write] of batch.entries()) {
      const outcome = this.#attempt(write);
      if (outcome.kind === 'done') done.push({ write, result: outcome.result });
      else if (outcome.kind === 'failed') write.reject(outcome.error);
      else {
        this.#undo([...done.map((one) => one.write), ...batch.slice(index)], outcome.error);
        return undefined;
      }
    }
    return done;
  }

  /** Runs one write so that its failure undoes it alone. */
  #attempt(
    write: PendingWrite,
  ): { kind: 'done'; result: unknown } | { kind: 'failed' | 'lost'; error: unknown } {
    try {
      this.#sql.run('SAVEPOINT one');
      const result = write.work(this.#sql);
      this.#sql.run('RELEASE one');
      return { kind: 'done', result };
    } catch (error) {
      const code = primaryCode(error);
      const ownIssue = code === undefined || code === CONSTRAINT || code === 1;
      if (!ownIssue || !this.#connection.isTransaction) return { kind: 'lost', error };
      this.#sql.exec('ROLLBACK TO one; RELEASE one');
      return { kind: 'failed', error };
    }
  }

  #undo(writes: readonly PendingWrite[], cause: unknown): void {
    if (this.#connection.isTransaction) this.#sql.exec('ROLLBACK');
    this.#refuse(writes, cause);
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
