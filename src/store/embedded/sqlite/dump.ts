/**
 * The embedded store read from one end to the other, to move it to another back end. Each subject is one
 * table in the order of its key; rows that a table keeps only to find others by (hosts, aliases) are part
 * of the record that they belong to.
 */
import { createHash } from 'node:crypto';
import { existsSync } from 'node:fs';
import type { SQLInputValue } from 'node:sqlite';
import { StoreUnusable } from '../../../core/errors.ts';
import type { Log } from '../../../observe/log.ts';
import type { CodeRecord } from '../../ports/codes.ts';
import type { DumpBatch, DumpedRecords, DumpSubject, StoreDump } from '../../ports/dump.ts';
import { type AccountRow, accountOf } from '../accounts.ts';
import { type ApiKeyRow, apiKeyOf } from '../api-keys.ts';
import { type IdentityRow, identityOf } from '../identities.ts';
import { type OidcRecordRow, oidcRecordOf } from '../oidc-records.ts';
import { type Database, openDatabase } from './database.ts';
import { migrate } from './migrations.ts';

type Row = Readonly<Record<string, SQLInputValue>>;

/** A row of `SELECT *` has the columns of its table. */
function typed<T>(row: Row): T {
  return row as T;
}

interface Table<Record> {
  readonly table: string;
  /** Columns that order the rows and name one of them. */
  readonly key: readonly string[];
  /** Which rows live at :now; absent: all. */
  readonly live?: string;
  readonly recordOf: (row: Row) => Record;
}

const LIVE = 'expires_at > :now';

const TABLES: { readonly [Subject in DumpSubject]: Table<DumpedRecords[Subject]> } = {
  metadata: {
    table: 'metadata',
    key: ['name'],
    recordOf: (row) => ({ name: String(row.name), value: String(row.value) }),
  },
  organizations: { table: 'organizations', key: ['id'], recordOf: parsed },
  clients: { table: 'clients', key: ['client_id'], recordOf: parsed },
  accounts: { table: 'accounts', key: ['id'], recordOf: (row) => accountOf(typed<AccountRow>(row)) },
  identities: {
    table: 'identities',
    key: ['organization', 'issuer', 'subject'],
    recordOf: (row) => identityOf(typed<IdentityRow>(row)),
  },
  apiKeys: { table: 'api_keys', key: ['id'], recordOf: (row) => apiKeyOf(typed<ApiKeyRow>(row)) },
  keyring: {
    table: 'keyring',
    key: ['id'],
    recordOf: (row) => ({ version: Number(row.version), encrypted: String(row.encrypted) }),
  },
  oidcRecords: {
    table: 'oidc_records',
    key: ['kind', 'id'],
    live: '(expires_at IS NULL OR expires_at > :now)',
    recordOf: (row) => ({ ...oidcRecordOf(typed<OidcRecordRow>(row)), kind: String(row.kind) }),
  },
  codes: {
    table: 'codes',
    key: ['key', 'asker'],
    live: `${LIVE} AND tries_left > 0 AND code_hash <> ''`,
    recordOf: codeOf,
  },
  linkTokens: { table: 'link_tokens', key: ['hash'], live: LIVE, recordOf: linkTokenOf },
  leases: { table: 'leases', key: ['key'], live: LIVE, recordOf: leaseOf },
  presence: {
    table: 'presence',
    key: ['account_id'],
    live: LIVE,
    recordOf: (row) => ({
      accountId: String(row.account_id),
      lastSeenAt: dateOf(row.last_seen_at),
      until: dateOf(row.expires_at),
    }),
  },
  windows: {
    table: 'attempt_windows',
    key: ['key'],
    live: LIVE,
    recordOf: (row) => ({ key: String(row.key), count: Number(row.count), until: dateOf(row.expires_at) }),
  },
  attempts: {
    table: 'rate_limits',
    key: ['key', 'mark'],
    live: LIVE,
    recordOf: (row) => ({
      key: String(row.key),
      mark: String(row.mark),
      at: dateOf(row.at),
      until: dateOf(row.expires_at),
    }),
  },
  remembered: {
    table: 'attempt_memory',
    key: ['key'],
    live: LIVE,
    recordOf: (row) => ({ key: String(row.key), until: dateOf(row.expires_at) }),
  },
  audit: {
    table: 'audit',
    key: ['at', 'id'],
    recordOf: (row) => {
      const record = JSON.parse(String(row.record));
      return { ...record, at: new Date(record.at) };
    },
  },
};

/** Throws StoreUnusable when there is no database at `file`, or one that this Portico cannot read. */
export async function openEmbeddedDump({ file, log }: { file: string; log: Log }): Promise<StoreDump> {
  if (!existsSync(file)) {
    throw new StoreUnusable(
      'embedded',
      `There is no database at ${file}. Point store.embedded.file at the one to read.`,
    );
  }
  const database = await openDatabase({ file, log });
  await migrate(database);
  return {
    async hold() {
      if (await database.hold()) return;
      throw new StoreUnusable(
        'embedded',
        `${file} is in use. Stop the Portico that runs on it, and try again.`,
      );
    },
    digest: () => digest(database),
    count: (subject, now) =>
      database.read((sql) => {
        const { table, live } = TABLES[subject];
        const where = live === undefined ? '' : `WHERE ${live.replace(':now', '?')}`;
        const values = live === undefined ? [] : [now.getTime()];
        return (
          sql.get<{ count: number }>(`SELECT count(*) AS count FROM ${table} ${where}`, ...values)?.count ?? 0
        );
      }),
    read: (subject, { after, limit, now }) => read(database, TABLES[subject], { after, limit, now }),
    close: () => database.close(),
  };
}

interface Range {
  readonly after: string | undefined;
  readonly limit: number;
  /** Absent: dead rows too. */
  readonly now?: Date;
}

async function read<Subject extends DumpSubject>(
  database: Database,
  table: Table<DumpedRecords[Subject]>,
  range: Range,
): Promise<DumpBatch<Subject>> {
  const { rows, next } = await rowsOf(database, table, range);
  return { records: rows.map(table.recordOf), ...(next === undefined ? {} : { next }) };
}

function rowsOf(
  database: Database,
  { table, key, live }: Pick<Table<unknown>, 'table' | 'key' | 'live'>,
  { after, limit, now }: Range,
): Promise<{ rows: Row[]; next: string | undefined }> {
  return database.read((sql) => {
    const values: SQLInputValue[] = after === undefined ? [] : JSON.parse(after);
    const marks = key.map(() => '?').join(', ');
    const conditions = after === undefined ? [] : [`(${key.join(', ')}) > (${marks})`];
    if (now !== undefined && live !== undefined) {
      conditions.push(live.replace(':now', '?'));
      values.push(now.getTime());
    }
    const where = conditions.length > 0 ? `WHERE ${conditions.join(' AND ')}` : '';
    const text = `SELECT * FROM ${table} ${where} ORDER BY ${key.join(', ')} LIMIT ?`;
    const rows = sql.all<Row>(text, ...values, limit);
    const last = rows.length < limit ? undefined : rows.at(-1);
    return { rows, next: last && JSON.stringify(key.map((column) => last[column])) };
  });
}

async function digest(database: Database): Promise<string> {
  const hash = createHash('sha256');
  for (const table of Object.values(TABLES)) {
    hash.update(table.table);
    for (let after: string | undefined, more = true; more; ) {
      const { rows, next } = await rowsOf(database, table, { after, limit: 1000 });
      for (const row of rows) hash.update(JSON.stringify(row));
      after = next;
      more = next !== undefined;
    }
  }
  return hash.digest('base64url');
}

function parsed<Record>(row: Row): Record {
  return JSON.parse(String(row.record));
}

function dateOf(milliseconds: SQLInputValue | undefined): Date {
  return new Date(Number(milliseconds));
}

function codeOf(row: Row): CodeRecord & { key: string } {
  const { organization, createdAt } = JSON.parse(String(row.record));
  return {
    key: String(row.key),
    asker: String(row.asker),
    codeHash: String(row.code_hash),
    accountId: String(row.account_id),
    organization,
    createdAt: new Date(createdAt),
    expiresAt: dateOf(row.expires_at),
    tries: Number(row.tries_left),
  };
}

function linkTokenOf(row: Row): DumpedRecords['linkTokens'] {
  const record = JSON.parse(String(row.record));
  return {
    ...record,
    hash: String(row.hash),
    createdAt: new Date(record.createdAt),
    expiresAt: new Date(record.expiresAt),
  };
}

function leaseOf(row: Row): DumpedRecords['leases'] {
  return {
    key: String(row.key),
    owner: String(row.owner),
    until: dateOf(row.expires_at),
    ...(row.encrypted === null ? {} : { result: { encrypted: String(row.encrypted), at: dateOf(row.at) } }),
  };
}
