/**
 * The way into every store: reads `store.kind` and opens that back end. Each back end is imported only
 * when it is asked for, so a process on the embedded store never loads the drivers of MongoDB and Redis.
 */
import type { Config } from '../config/schema.ts';
import type { Log } from '../observe/log.ts';
import type { StoreDump } from './ports/dump.ts';
import type { Stores } from './ports/stores.ts';

export interface OpenStoresOptions {
  readonly log: Log;
}

/**
 * Opens the configured back end. Call `migrate()` before the first use.
 * Throws StoreUnusable when an operator must act (a file that is no database, a newer schema), and
 * StoreUnavailable when the back end does not answer.
 */
export async function openStores(store: Config['store'], options: OpenStoresOptions): Promise<Stores> {
  if (store.kind === 'embedded') {
    const { openEmbeddedStores } = await import('./embedded/embedded-stores.ts');
    return openEmbeddedStores({ file: store.embedded.file, log: options.log });
  }
  const [{ openMongoStores }, { openRedisStores }, { distributed }] = await Promise.all([
    import('./mongo/mongo-stores.ts'),
    import('./redis/redis-stores.ts'),
    import('./distributed/distributed.ts'),
  ]);
  const { log } = options;
  return distributed(openMongoStores({ ...store.mongo, log }), openRedisStores({ ...store.redis, log }));
}

/** The embedded store, to be copied elsewhere, whatever `store.kind` says. Throws StoreUnusable where there is none. */
export async function openStoreDump(store: Config['store'], { log }: OpenStoresOptions): Promise<StoreDump> {
  const { openEmbeddedDump } = await import('./embedded/sqlite/dump.ts');
  return openEmbeddedDump({ file: store.embedded.file, log });
}
