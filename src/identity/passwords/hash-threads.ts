/** The threads that hash passwords give way to the event loop, which answers all other requests. */
import { readdir, readFile } from 'node:fs/promises';
import { constants, setPriority } from 'node:os';

const THREADS = '/proc/self/task';

/**
 * Only Linux has a priority for each thread. Where the system refuses to change it, it stays as it is.
 * The threads are there when they are listed: libuv starts all of them for the first file that is read.
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
