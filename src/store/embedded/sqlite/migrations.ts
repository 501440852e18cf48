/**
 * The tables, as numbered steps. `PRAGMA user_version` holds the number of the last step that ran. All
 * steps run in one write transaction, which is alone among all processes: the second process finds the
 * number raised. A step that was released is never changed; a new one is added behind it.
 */

import { StoreUnusable } from '../../../core/errors.ts';
import { OPENING_EVENTS, withOpening } from '../../../model/opened-before.ts';
import type { Log } from '../../../observe/log.ts';
import { SAME_MAILBOX, standingsText, withAsciiDomain } from '../../ports/stores.ts';
import { ACCOUNTS, type AccountRow, foldedNames } from '../accounts.ts';
import type { Database, Sql } from './database.ts';
import {
  APIS,
  AUDIT_BY_EVENT_AND_CLIENT,
  CODES_BY_ASKER,
  DELIVERIES,
  FIRST,
  GRANTS_BY_CLIENT,
  USAGE,
} from './tables.ts';

/** "PRTC": marks the file as Portico's, so that another program's database is never written to. */
const APPLICATION_ID = 0x50525443;

const TABLES_RENAMED = {
  artifacts: 'oidc_records',
  tickets: 'link_tokens',
  claims: 'leases',
  facts: 'metadata',
  attempts: 'rate_limits',
} as const;

/** Accounts that a step looks at in one go. */
const PAGE = 500;

const STEPS: readonly ((sql: Sql, log: Log) => void)[] = [
  (sql) => sql.exec(FIRST),
  (sql) => sql.exec(CODES_BY_ASKER),
  markOpenedAccounts,
  renameTables,
  (sql) => sql.exec(APIS),
  spellDomainsInAscii,
  (sql) => sql.exec(AUDIT_BY_EVENT_AND_CLIENT),
  (sql) => sql.exec(DELIVERIES),
  (sql) => sql.exec(GRANTS_BY_CLIENT),
  (sql) => sql.exec(USAGE),
  noteStandings,
];

/** Today's names. The indexes keep theirs: renaming one would build it again. */
function renameTables(sql: Sql): void {
  const exists = (name: string, of: string) => sql.get(`SELECT 1 FROM ${of} WHERE name = ?`, name);
  for (const [before, now] of Object.entries(TABLES_RENAMED)) {
    if (exists(before, 'sqlite_schema')) sql.exec(`ALTER TABLE ${before} RENAME TO ${now}`);
  }
  for (const table of ['keyring', 'leases']) {
    if (exists('sealed', `pragma_table_info('${table}')`)) {
      sql.exec(`ALTER TABLE ${table} RENAME COLUMN sealed TO encrypted`);
    }
  }
}

/** Says of every account where its person opened it; roles that it gave itself become its vendor's. */
function markOpenedAccounts(sql: Sql): void {
  const events = OPENING_EVENTS.map((event) => `'${event}'`).join(', ');
  let after = '';
  for (;;) {
    const rows = sql.all<AccountRow & { id: string; opening: string | null }>(
      `SELECT id, record, version, last_sign_in_at, (
         SELECT audit.record FROM audit
         WHERE subject = accounts.id AND json_extract(audit.record, '$.event') IN (${events})
         ORDER BY at, audit.id LIMIT 1
       ) AS opening
       FROM accounts WHERE id > ? ORDER BY id LIMIT ${PAGE}`,
      after,
    );
    for (const { id, opening, ...row } of rows) {
      const marked = withOpening(ACCOUNTS.recordOf(row), opening === null ? undefined : JSON.parse(opening));
      if (marked === undefined) continue;
      const record = JSON.stringify(marked);
      sql.run('UPDATE accounts SET record = ?, version = version + 1 WHERE id = ?', record, id);
    }
    const last = rows.at(-1);
    if (last === undefined || rows.length < PAGE) return;
    after = last.id;
  }
}

/** What accounts are tallied by. */
function noteStandings(sql: Sql): void {
  const known = sql.get("SELECT 1 FROM pragma_table_info('accounts') WHERE name = 'standings'");
  if (known === undefined) sql.exec('ALTER TABLE accounts ADD COLUMN standings TEXT');
  for (let after = ''; ; ) {
    const rows = sql.all<AccountRow & { id: string }>(
      `SELECT id, record, version, last_sign_in_at FROM accounts
       WHERE id > ? AND json_extract(record, '$.legacy') IS NOT NULL ORDER BY id LIMIT ${PAGE}`,
      after,
    );
    for (const { id, ...row } of rows) {
      const standings = standingsText(ACCOUNTS.recordOf(row));
      sql.run('UPDATE accounts SET standings = ? WHERE id = ?', standings, id);
    }
    const last = rows.at(-1);
    if (last === undefined) break;
    after = last.id;
  }
  sql.exec('CREATE INDEX IF NOT EXISTS accounts_standings ON accounts (organization, standings)');
}

/** Addresses at internationalized domains get the spelling of a look-up. Two accounts are never made one. */
function spellDomainsInAscii(sql: Sql, log: Log): void {
  const others = `*[^${String.fromCodePoint(1)}-${String.fromCodePoint(127)}]*`;
  const rows = sql.all<AccountRow & { id: string }>(
    `SELECT id, record, version, last_sign_in_at FROM accounts
     WHERE email_folded GLOB ? OR username_folded GLOB ? ORDER BY id`,
    ...[others, others],
  );
  for (const { id, ...row } of rows) {
    const account = withAsciiDomain(ACCOUNTS.recordOf(row));
    const { email_folded, username_folded } = foldedNames(account);
    const changed = sql.run(
      `UPDATE OR IGNORE accounts SET email_folded = ?, username_folded = ?, record = ?, version = version + 1
       WHERE id = ?`,
      ...[email_folded, username_folded, JSON.stringify(account), id],
    );
    if (changed === 0) log.warn({ account: id }, SAME_MAILBOX);
  }
}

/** Throws StoreUnusable when the file belongs to a newer Portico or to another program. */
export async function migrate(database: Database, log: Log): Promise<void> {
  // Most starts find nothing to do: they must not wait for the write lock.
  if (
    await database.read((sql) => applicationId(sql) === APPLICATION_ID && userVersion(sql) === STEPS.length)
  )
    return;
  await database.write((sql) => {
    refuseForeignFile(database.file, sql);
    const done = userVersion(sql);
    if (done > STEPS.length) throw newer(database.file, done);
    for (const step of STEPS.slice(done)) step(sql, log);
    sql.exec(`PRAGMA application_id = ${APPLICATION_ID}; PRAGMA user_version = ${STEPS.length}`);
  });
}

function userVersion(sql: Sql): number {
  return sql.get<{ user_version: number }>('PRAGMA user_version')?.user_version ?? 0;
}

function applicationId(sql: Sql): number {
  return sql.get<{ application_id: number }>('PRAGMA application_id')?.application_id ?? 0;
}

function refuseForeignFile(file: string, sql: Sql): void {
  const owner = applicationId(sql);
  const tables = sql.get<{ count: number }>('SELECT count(*) AS count FROM sqlite_schema')?.count ?? 0;
  if (owner === APPLICATION_ID || (owner === 0 && tables === 0)) return;
  throw new StoreUnusable(
    'embedded',
    `${file} is a database of another program. Point store.embedded.file at another path.`,
  );
}

function newer(file: string, version: number): StoreUnusable {
  return new StoreUnusable(
    'embedded',
    `${file} was written by a newer Portico (schema ${version}; this one knows ${STEPS.length}). ` +
      'Start that version again, or restore a backup from before the upgrade.',
  );
}
