import type { Database } from './database.ts';

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

/** Rows per transaction: sign-ins must not wait behind the broom. */
const BATCH = 500;

/** Deletes what ended at or before `now`; resolves with how many rows. Answers never depend on it. */
export async function sweep(database: Database, now: Date): Promise<number> {
  let total = 0;
  for (const [table, key] of ENDING) {
    const text = `DELETE FROM ${table} WHERE (${key}) IN (SELECT ${key} FROM ${table} WHERE expires_at <= ? LIMIT ${BATCH})`;
    let gone = BATCH;
    while (gone === BATCH) {
      gone = await database.write((sql) => sql.run(text, now.getTime()));
      total += gone;
    }
  }
  return total;
}
