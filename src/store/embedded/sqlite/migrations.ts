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

/** "PRTC": marks the file as Portico's, so that another program's database is never written to. */
const APPLICATION_ID = 0x50525443;

const FIRST = `
CREATE TABLE accounts (
  id TEXT PRIMARY KEY,
  organization TEXT NOT NULL,
  email_folded TEXT,
  username_folded TEXT,
  version INTEGER NOT NULL,
  last_sign_in_at INTEGER,
  record TEXT NOT NULL
) STRICT;
CREATE UNIQUE INDEX accounts_email ON accounts (organization, email_folded);
CREATE UNIQUE INDEX accounts_username ON accounts (organization, username_folded);
CREATE INDEX accounts_page ON accounts (organization, id);

CREATE TABLE account_aliases (
  alias TEXT NOT NULL,
  value TEXT NOT NULL,
  account_id TEXT NOT NULL REFERENCES accounts (id) ON DELETE CASCADE,
  PRIMARY KEY (alias, value)
) STRICT, WITHOUT ROWID;
CREATE INDEX account_aliases_account ON account_aliases (account_id);

CREATE TABLE identities (
  organization TEXT NOT NULL,
  issuer TEXT NOT NULL,
  subject TEXT NOT NULL,
  account_id TEXT NOT NULL,
  created_at INTEGER NOT NULL,
  PRIMARY KEY (organization, issuer, subject)
) STRICT, WITHOUT ROWID;
CREATE INDEX identities_account ON identities (account_id);

CREATE TABLE organizations (id TEXT PRIMARY KEY, record TEXT NOT NULL) STRICT;
CREATE TABLE organization_hosts (
  host TEXT PRIMARY KEY,
  organization TEXT NOT NULL REFERENCES organizations (id) ON DELETE CASCADE
) STRICT, WITHOUT ROWID;
CREATE INDEX organization_hosts_organization ON organization_hosts (organization);

CREATE TABLE clients (client_id TEXT PRIMARY KEY, record TEXT NOT NULL) STRICT;

CREATE TABLE api_keys (
  id TEXT PRIMARY KEY,
  key_hash TEXT NOT NULL UNIQUE,
  organization TEXT NOT NULL,
  account_id TEXT,
  created_at INTEGER NOT NULL,
  last_used_at INTEGER,
  record TEXT NOT NULL
) STRICT;
CREATE INDEX api_keys_account ON api_keys (account_id, created_at);
CREATE INDEX api_keys_organization ON api_keys (organization, created_at);

CREATE TABLE artifacts (
  kind TEXT NOT NULL,
  id TEXT NOT NULL,
  payload TEXT NOT NULL,
  expires_at INTEGER,
  grant_id TEXT,
  account_id TEXT,
  client_id TEXT,
  uid TEXT,
  user_code TEXT,
  durable INTEGER NOT NULL,
  created_at INTEGER NOT NULL,
  consumed_at INTEGER
) STRICT;
CREATE UNIQUE INDEX artifacts_id ON artifacts (kind, id);
CREATE INDEX artifacts_grant ON artifacts (grant_id, kind) WHERE grant_id IS NOT NULL;
CREATE INDEX artifacts_account ON artifacts (account_id, kind, created_at) WHERE account_id IS NOT NULL;
CREATE INDEX artifacts_uid ON artifacts (uid, kind) WHERE uid IS NOT NULL;
CREATE INDEX artifacts_user_code ON artifacts (user_code, kind) WHERE user_code IS NOT NULL;
CREATE INDEX artifacts_expiry ON artifacts (expires_at) WHERE expires_at IS NOT NULL;

CREATE TABLE keyring (
  id INTEGER PRIMARY KEY CHECK (id = 1),
  version INTEGER NOT NULL,
  sealed TEXT NOT NULL
) STRICT;

CREATE TABLE attempts (
  key TEXT NOT NULL,
  mark TEXT NOT NULL,
  at INTEGER NOT NULL,
  expires_at INTEGER NOT NULL,
  PRIMARY KEY (key, mark)
) STRICT, WITHOUT ROWID;
CREATE INDEX attempts_expiry ON attempts (expires_at);
CREATE TABLE attempt_windows (
  key TEXT PRIMARY KEY,
  count INTEGER NOT NULL,
  expires_at INTEGER NOT NULL
) STRICT, WITHOUT ROWID;
CREATE INDEX attempt_windows_expiry ON attempt_windows (expires_at);
CREATE TABLE attempt_memory (key TEXT PRIMARY KEY, expires_at INTEGER NOT NULL) STRICT, WITHOUT ROWID;
CREATE INDEX attempt_memory_expiry ON attempt_memory (expires_at);

CREATE TABLE codes (
  key TEXT PRIMARY KEY,
  code_hash TEXT NOT NULL,
  account_id TEXT NOT NULL,
  tries_left INTEGER NOT NULL,
  expires_at INTEGER NOT NULL,
  record TEXT NOT NULL
) STRICT;
CREATE INDEX codes_account ON codes (account_id);
CREATE INDEX codes_expiry ON codes (expires_at);

CREATE TABLE tickets (
  hash TEXT PRIMARY KEY,
  purpose TEXT NOT NULL,
  account_id TEXT,
  expires_at INTEGER NOT NULL,
  record TEXT NOT NULL
) STRICT;
CREATE INDEX tickets_account ON tickets (account_id, purpose) WHERE account_id IS NOT NULL;
CREATE INDEX tickets_expiry ON tickets (expires_at);

CREATE TABLE claims (
  key TEXT PRIMARY KEY,
  owner TEXT NOT NULL,
  expires_at INTEGER NOT NULL,
  sealed TEXT,
  at INTEGER
) STRICT;
CREATE INDEX claims_expiry ON claims (expires_at);

CREATE TABLE presence (
  account_id TEXT PRIMARY KEY,
  last_seen_at INTEGER NOT NULL,
  expires_at INTEGER NOT NULL
) STRICT;
CREATE INDEX presence_expiry ON presence (expires_at);

CREATE TABLE audit (
  id INTEGER PRIMARY KEY,
  at INTEGER NOT NULL,
  organization TEXT,
  subject TEXT,
  record TEXT NOT NULL
) STRICT;
CREATE INDEX audit_at ON audit (at);
CREATE INDEX audit_organization ON audit (organization, at) WHERE organization IS NOT NULL;
CREATE INDEX audit_subject ON audit (subject, at) WHERE subject IS NOT NULL;

CREATE TABLE facts (name TEXT PRIMARY KEY, value TEXT NOT NULL) STRICT;
`;

/** Codes are kept by the client that asked for them. */
const CODES_BY_ASKER = `
CREATE TABLE codes_by_asker (
  key TEXT NOT NULL,
  asker TEXT NOT NULL,
  code_hash TEXT NOT NULL,
  account_id TEXT NOT NULL,
  tries_left INTEGER NOT NULL,
  expires_at INTEGER NOT NULL,
  record TEXT NOT NULL
) STRICT;
INSERT INTO codes_by_asker SELECT key, '', code_hash, account_id, tries_left, expires_at, record FROM codes;
DROP TABLE codes;
ALTER TABLE codes_by_asker RENAME TO codes;
CREATE UNIQUE INDEX codes_key ON codes (key, asker);
CREATE INDEX codes_account ON codes (account_id);
CREATE INDEX codes_expiry ON codes (expires_at);
`;

const APIS = `
CREATE TABLE IF NOT EXISTS apis (id TEXT PRIMARY KEY, identifier TEXT NOT NULL UNIQUE, record TEXT NOT NULL) STRICT;
`;

const DELIVERIES = `
CREATE TABLE IF NOT EXISTS deliveries (
  id TEXT PRIMARY KEY,
  client_id TEXT NOT NULL,
  due_at INTEGER,
  created_at INTEGER NOT NULL,
  expires_at INTEGER NOT NULL,
  version INTEGER NOT NULL,
  record TEXT NOT NULL
) STRICT;
CREATE INDEX IF NOT EXISTS deliveries_due ON deliveries (due_at) WHERE due_at IS NOT NULL;
CREATE INDEX IF NOT EXISTS deliveries_expiry ON deliveries (expires_at);
`;

/** The words of ../audit.ts. */
const AUDIT_BY_EVENT_AND_CLIENT = `
CREATE INDEX IF NOT EXISTS audit_event ON audit (json_extract(record, '$.event'), at);
CREATE INDEX IF NOT EXISTS audit_client ON audit (json_extract(record, '$.clientId'), at);
`;

const GRANTS_BY_CLIENT = `
CREATE INDEX IF NOT EXISTS oidc_records_grants ON oidc_records (client_id) WHERE kind = 'Grant';
`;

const TABLES_RENAMED = {
  artifacts: 'oidc_records',
  tickets: 'link_tokens',
  claims: 'leases',
  facts: 'metadata',
  attempts: 'rate_limits',
} as const;

/** Accounts that a step looks at in one go. */
const PAGE = 500;

const USAGE = `
CREATE TABLE IF NOT EXISTS usage (
  day TEXT NOT NULL,
  dialect TEXT NOT NULL,
  tallies TEXT NOT NULL,
  PRIMARY KEY (day, dialect)
) STRICT;
`;

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
