/** Opens the SQLite file: one connection, set as database.ts counts on. */
import { chmodSync, closeSync, mkdirSync, openSync, statSync } from 'node:fs';
import { dirname } from 'node:path';
import { DatabaseSync } from 'node:sqlite';
import { setTimeout as wait } from 'node:timers/promises';
import { StoreUnusable } from '../../../core/errors.ts';
import { BUSY, explain, explainAccess, primaryCode } from './sqlite-errors.ts';

/** Milliseconds that SQLite itself may sleep for a lock, the event loop with it. */
const LOCK_SLEEP = 10;
/** Milliseconds that opening waits for a lock: another process may be making the file, or changing its journal mode. */
const OPEN_PATIENCE = 5000;
/** Pages in the log after which a commit copies them into the file: fewer, larger rounds copy a page once that changed often. */
const CHECKPOINT_AFTER = 4000;

/**
 * Makes the folder and an empty file that only its owner may read. SQLite gives the files beside it
 * (-wal, -shm) the same mode. A file that others could read already is closed to them.
 */
export function prepareFile(file: string): void {
  try {
    mkdirSync(dirname(file), { recursive: true, mode: 0o700 });
    closeSync(openSync(file, 'a', 0o600));
    if ((statSync(file).mode & 0o077) !== 0) chmodSync(file, 0o600);
  } catch (cause) {
    throw new StoreUnusable('embedded', explainAccess(file, cause), { cause });
  }
}

/** Throws StoreUnusable when the file cannot serve as a database, with what to do. */
export async function connect(file: string): Promise<DatabaseSync> {
  const deadline = performance.now() + OPEN_PATIENCE;
  for (;;) {
    try {
      return open(file);
    } catch (error) {
      // SQLite does not wait by itself for another process that changes the journal mode too.
      if (primaryCode(error) !== BUSY || performance.now() > deadline)
        throw new StoreUnusable('embedded', explain(file, error), { cause: error });
      await wait(Math.random() * LOCK_SLEEP);
    }
  }
}

function open(file: string): DatabaseSync {
  const connection = new DatabaseSync(file, { timeout: LOCK_SLEEP, enableForeignKeyConstraints: true });
  try {
    const mode = connection.prepare('PRAGMA journal_mode = WAL').get()?.journal_mode;
    if (mode !== 'wal') throw new Error(`The journal mode is ${String(mode)}.`);
    connection.exec(
      // NORMAL: a commit is flushed by us. SQLite flushes around a checkpoint.
      `PRAGMA synchronous = NORMAL; PRAGMA trusted_schema = OFF; PRAGMA wal_autocheckpoint = ${CHECKPOINT_AFTER};
       PRAGMA journal_size_limit = 67108864`,
    );
    return connection;
  } catch (error) {
    connection.close();
    throw error;
  }
}
