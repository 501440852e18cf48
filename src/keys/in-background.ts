import type { Pass } from './key-record.ts';
import { type ReEncryption, reEncrypt } from './re-encryption.ts';

/** As long as it works: requests have more than half of the process, and of the store. */
const REST = 1;

/** Re-encryption beside a server's requests. `begin` does nothing while it is under way. */
export function startReEncryption(
  deps: Pick<ReEncryption, 'stores' | 'secrets' | 'clock' | 'log' | 'store'>,
) {
  const stop = new AbortController();
  let pass: Pass | undefined;
  let running: Promise<unknown> | undefined;
  const progress = (present: Pass) => {
    pass = present;
  };
  return {
    begin() {
      running ??= reEncrypt({ ...deps, rest: REST, stopped: stop.signal, progress })
        .then((outcome) => {
          if (outcome === 'finished') pass = undefined;
        })
        .catch((err: unknown) => deps.log.warn({ err }, 're-encryption broke off; it goes on soon'))
        .finally(() => {
          running = undefined;
        });
    },
    /** Records that are still to be read, about; 0 where this process does not do it. */
    left: () => (pass === undefined ? 0 : Math.max(pass.all - pass.read, 0)),
    async stop() {
      stop.abort();
      await running;
    },
  };
}
