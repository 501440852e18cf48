import type { Database } from './database.ts';
import { removeInBatches } from './table.ts';

/** Every table whose rows end, with its key. Audit records, accounts and API keys stay until they are removed. */
const ENDING: readonly (readonly [table: string, key: string])[] = [
  ['oidc_records', 'kind, id'],
  ['rate_limits', 'key, mark'],
  ['attempt_windows', 'key'],
  ['attempt_memory', 'key'],
  ['codes', 'key, asker'],
  ['link_tokens', 'hash'],
  ['leases', 'key'],
  ['presence', 'account_id'],
];

/** Deletes what ended at or before `now`; resolves with how many rows. Answers never depend on it. */
export async function sweep(database: Database, now: Date): Promise<number> {
  let total = 0;
  for (const [table, key] of ENDING)
    total += await removeInBatches(database, table, key, 'expires_at <= ?', now);
  return total;
}
