/** The threads that hash passwords give way to the event loop, which answers all other requests. */
import { readdir, readFile } from 'node:fs/promises';
import { constants, setPriority } from 'node:os';

const THREADS = '/proc/self/task';

/**
 * Only Linux has a priority for each thread. Where the system does not let a thread change it, it stays as it is.
 * libuv starts all of its threads with their first piece of work, which is to list them.
 */
export async function letHashThreadsGiveWay(): Promise<void> {
  if (process.platform !== 'linux') return;
  for (const id of await readdir(THREADS)) {
    try {
      const name = await readFile(`${THREADS}/${id}/comm`, 'utf8');
      if (name.trim() === 'libuv-worker') setPriority(Number(id), constants.priority.PRIORITY_BELOW_NORMAL);
    } catch {
      // It has ended, or the process has a lower priority already.
    }
  }
}
