/** Opens the SQLite file: one connection, set as database.ts counts on. */
import { chmodSync, closeSync, mkdirSync, openSync, statSync } from 'node:fs';
import { dirname } from 'node:path';
import { DatabaseSync } from 'node:sqlite';
import { StoreUnusable } from '../../../core/errors.ts';
import { explain, explainAccess } from './sqlite-errors.ts';

/** Milliseconds that SQLite itself may sleep for a lock, the event loop with it. */
const LOCK_SLEEP = 10;
/** Milliseconds that opening may sleep for a lock: another process may be changing the journal mode. */
const OPEN_SLEEP = 5000;
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

export function connect(file: string): DatabaseSync {
  let connection: DatabaseSync | undefined;
  try {
    connection = new DatabaseSync(file, { timeout: OPEN_SLEEP, enableForeignKeyConstraints: true });
    const mode = connection.prepare('PRAGMA journal_mode = WAL').get()?.journal_mode;
    if (mode !== 'wal') throw new Error(`The journal mode is ${String(mode)}.`);
    connection.exec(
      // NORMAL: a commit is flushed by us. SQLite flushes around a checkpoint.
      `PRAGMA synchronous = NORMAL; PRAGMA trusted_schema = OFF; PRAGMA wal_autocheckpoint = ${CHECKPOINT_AFTER};
       PRAGMA journal_size_limit = 67108864; PRAGMA busy_timeout = ${LOCK_SLEEP}`,
    );
    return connection;
  } catch (error) {
    connection?.close();
    // Every failure at the start needs an operator.
    throw new StoreUnusable('embedded', explain(file, error), { cause: error });
  }
}
