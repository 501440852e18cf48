/**
 * Fills the disk of a store, and reports to its parent what happened: fork('full-disk.ts', ['<config.store>']).
 * SQLite reports a database that reached its page limit exactly as it reports a full disk, so the limit
 * stands in for one; every connection of this process gets it.
 */
import { DatabaseSync } from 'node:sqlite';
import { pino } from 'pino';
import { StoreUnavailable } from '../../src/core/errors.ts';
import { openStores } from '../../src/store/open-stores.ts';

const prepare = DatabaseSync.prototype.prepare;
let limited = false;
DatabaseSync.prototype.prepare = function (text) {
  if (!limited && text.startsWith('INSERT INTO metadata')) {
    limited = true;
    this.exec('PRAGMA max_page_count = 150');
  }
  return prepare.call(this, text);
};

const stores = await openStores(JSON.parse(process.argv[2] ?? '{}'), { log: pino({ level: 'silent' }) });
await stores.migrate();
let written = 0;
try {
  for (; written < 10_000; written += 1) await stores.metadata.set(`fact ${written}`, 'x'.repeat(20_000));
} catch (error) {
  const explanation =
    error instanceof StoreUnavailable && error.cause instanceof Error ? error.cause.message : '';
  process.send?.({ written, error: error instanceof Error ? error.name : '', explanation });
}
await stores.close();
process.disconnect?.();
