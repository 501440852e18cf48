/**
 * Brings the write-ahead log to the disk. SQLite does it inside COMMIT under `synchronous = FULL`, where the event loop
 * waits for the disk; here a thread waits, and whatever was committed before a flush begins shares it.
 */
import { type FileHandle, open } from 'node:fs/promises';
import { dirname } from 'node:path';

export interface Flusher {
  readonly running: Promise<void> | undefined;
  /** Resolves when everything that is committed now is on the disk. */
  flush(): Promise<void>;
  /** Nothing may be flushed afterwards. */
  close(): Promise<void>;
}

/** `file`: of the database. Its log is there from the first commit until the connection closes. */
export function createFlusher(file: string): Flusher {
  let log: Promise<FileHandle> | undefined;
  let running: Promise<void> | undefined;
  let next: Promise<void> | undefined;

  function start(): Promise<void> {
    log ??= openLog(file).catch((error) => {
      log = undefined;
      throw error;
    });
    running = log
      .then((handle) => handle.datasync())
      .finally(() => {
        running = undefined;
      });
    return running;
  }

  async function afterRunning(): Promise<void> {
    try {
      // After one that failed none counts: what it was to bring lies before the rest in the log.
      await running;
    } finally {
      next = undefined;
    }
    await start();
  }

  return {
    get running() {
      return running;
    },
    flush() {
      if (running === undefined && next === undefined) return start();
      // The one under way may have begun before the commit.
      next ??= afterRunning();
      return next;
    },
    async close() {
      await next?.catch(() => {});
      await running?.catch(() => {});
      await (await log?.catch(() => undefined))?.close();
    },
  };
}

async function openLog(file: string): Promise<FileHandle> {
  // A power cut could lose the name of a log that is new, and the log with it.
  const folder = await open(dirname(file));
  await folder.sync().finally(() => folder.close());
  return open(`${file}-wal`);
}
