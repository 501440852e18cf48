/**
 * The way into every store: reads `store.kind` and opens that back end. Each back end is imported only
 * when it is asked for, so a process on the embedded store never loads the drivers of MongoDB and Redis.
 * A server waits a bounded time for servers that are still starting; commands do not: a person watches them.
 */
import { setTimeout as wait } from 'node:timers/promises';
import type { Config } from '../config/schema.ts';
import { StoreUnavailable } from '../core/errors.ts';
import type { Log } from '../observe/log.ts';
import { refuseUnfinishedCopy } from './copy/copy-state.ts';
import type { StoreDump } from './ports/dump.ts';
import type { StoreHealth, Stores } from './ports/stores.ts';

/** Milliseconds between two tries. */
const PAUSE = 500;
/** Milliseconds that a try under way may still take when the server is told to stop. */
const LAST_TRY = 1000;

/**
 * Opens the configured back end. Call `migrate()` before the first use.
 * Throws StoreUnusable when an operator must act (a file that is no database, a newer schema), and
 * StoreUnavailable when the back end does not answer.
 */
export async function openStores(store: Config['store'], { log }: { log: Log }): Promise<Stores> {
  if (store.kind === 'embedded') {
    const { openEmbeddedStores } = await import('./embedded/embedded-stores.ts');
    return openEmbeddedStores({ file: store.embedded.file, log });
  }
  const [{ openMongoStores }, { openRedisStores }, { distributed }] = await Promise.all([
    import('./mongo/mongo-stores.ts'),
    import('./redis/redis-stores.ts'),
    import('./distributed/distributed.ts'),
  ]);
  return distributed(openMongoStores({ ...store.mongo, log }), openRedisStores({ ...store.redis, log }));
}

/** The embedded store, to be copied elsewhere, whatever `store.kind` says. Throws StoreUnusable where there is none. */
export async function openStoreDump(store: Config['store'], { log }: { log: Log }): Promise<StoreDump> {
  const { openEmbeddedDump } = await import('./embedded/sqlite/dump.ts');
  return openEmbeddedDump({ file: store.embedded.file, log });
}

/**
 * Open, migrated and reachable. Throws StoreUnavailable, which names every server that is away, after
 * `store.startupTimeout` seconds; StoreUnusable at once when waiting would not help; the reason of `stopped` when
 * that is aborted.
 */
export async function openStoresWhenReady(
  store: Config['store'],
  { log, stopped }: { log: Log; stopped?: AbortSignal | undefined },
): Promise<Stores> {
  const deadline = performance.now() + store.startupTimeout * 1000;
  const stores = await openStores(store, { log });
  try {
    for (let said = ''; ; ) {
      const away = await unlessStopped(firstUse(stores), stopped);
      const [first] = away;
      if (first === undefined) break;
      const detail = away.map(({ name, detail = 'no answer' }) => `${name}: ${detail}`).join('; ');
      if (performance.now() >= deadline) {
        const cause = new Error(`${detail}; waited ${store.startupTimeout} s`);
        throw new StoreUnavailable(first.name, { cause });
      }
      const missing = away.map(({ name }) => name).join(', ');
      if (missing !== said) log.warn({ missing, detail }, 'waiting for the store');
      said = missing;
      await wait(PAUSE, undefined, { signal: stopped });
    }
    await refuseUnfinishedCopy(stores);
    return stores;
  } catch (error) {
    await stores.close();
    throw error;
  }
}

/**
 * Once `stopped` is aborted, `work` has LAST_TRY left: a migration that is cut off keeps its lock, and the next start
 * waits for that.
 */
async function unlessStopped<Result>(work: Promise<Result>, stopped?: AbortSignal): Promise<Result> {
  const end = Promise.withResolvers<never>();
  const stop = () => setTimeout(() => end.reject(stopped?.reason), LAST_TRY);
  if (stopped?.aborted) stop();
  stopped?.addEventListener('abort', stop);
  try {
    return await Promise.race([work, end.promise]);
  } finally {
    stopped?.removeEventListener('abort', stop);
  }
}

/** The servers that are away; none when every one answered. */
async function firstUse(stores: Stores): Promise<StoreHealth[]> {
  let failure: StoreUnavailable | undefined;
  try {
    await stores.migrate();
  } catch (error) {
    if (!(error instanceof StoreUnavailable)) throw error;
    failure = error;
  }
  const away = (await stores.health()).filter(({ ok }) => !ok);
  if (away.length > 0 || failure === undefined) return away;
  // It came back in between, or another process holds it: either way it is asked again.
  const detail = failure.cause instanceof Error ? failure.cause.message : failure.message;
  return [{ name: failure.store, ok: false, detail }];
}
