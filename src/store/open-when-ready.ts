/**
 * Opens the store for a server: waits a bounded time for servers that are still starting, logs which, and
 * refuses a store that must not be served yet. Commands do not wait: a person watches them.
 */
import { setTimeout as wait } from 'node:timers/promises';
import type { Config } from '../config/schema.ts';
import { StoreUnavailable } from '../core/errors.ts';
import type { Log } from '../observe/log.ts';
import { refuseUnfinishedCopy } from './copy/copy-state.ts';
import { openStores } from './open-stores.ts';
import type { Stores } from './ports/stores.ts';

/** Milliseconds between two tries. */
const PAUSE = 500;

/**
 * Open, migrated and reachable. Throws StoreUnavailable, which names every server that is away, after
 * `store.startupTimeout` seconds; StoreUnusable at once when waiting would not help.
 */
export async function openStoresWhenReady(store: Config['store'], { log }: { log: Log }): Promise<Stores> {
  const deadline = performance.now() + store.startupTimeout * 1000;
  const stores = await openStores(store, { log });
  try {
    for (let said = ''; ; ) {
      const missing = await firstUse(stores);
      if (missing === undefined) break;
      if (performance.now() >= deadline) throw gaveUp(missing, store.startupTimeout);
      if (missing.names !== said)
        log.warn({ missing: missing.names, detail: missing.detail }, 'waiting for the store');
      said = missing.names;
      await wait(PAUSE);
    }
    await refuseUnfinishedCopy(stores);
    return stores;
  } catch (error) {
    await stores.close();
    throw error;
  }
}

interface Missing {
  readonly first: string;
  readonly names: string;
  readonly detail: string;
}

/** Undefined when every server answered. */
async function firstUse(stores: Stores): Promise<Missing | undefined> {
  let failure: StoreUnavailable | undefined;
  try {
    await stores.migrate();
  } catch (error) {
    if (!(error instanceof StoreUnavailable)) throw error;
    failure = error;
  }
  const away = (await stores.health()).filter(({ ok }) => !ok);
  if (away.length > 0) {
    return {
      first: away[0]?.name ?? '',
      names: away.map(({ name }) => name).join(', '),
      detail: away.map(({ name, detail }) => `${name}: ${detail ?? 'no answer'}`).join('; '),
    };
  }
  // It came back in between, or another process holds it: either way it is asked again.
  if (failure) {
    const reason = failure.cause instanceof Error ? failure.cause.message : failure.message;
    return { first: failure.store, names: failure.store, detail: `${failure.store}: ${reason}` };
  }
  return undefined;
}

function gaveUp({ first, detail }: Missing, seconds: number): StoreUnavailable {
  return new StoreUnavailable(first, { cause: new Error(`${detail}; waited ${seconds} s`) });
}
