/**
 * Requests that never came whole: slow clients, which an attacker has by the thousand, and those that left.
 * They are counted, and told in one line a minute, so that they cannot fill the disk or hide other lines.
 */
import type { Log } from '../../observe/log.ts';

export type UnfinishedRequests = ReturnType<typeof createUnfinishedRequests>;

export function createUnfinishedRequests(log: Log) {
  let requests = 0;
  return {
    count() {
      requests += 1;
    },
    /** Writes the line, if there is something to tell. */
    async tell() {
      if (requests > 0) log.info({ requests }, 'requests that never came whole');
      requests = 0;
    },
  };
}
