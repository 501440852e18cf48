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
import type { DumpBatch, DumpedRecords, DumpSubject, StoreDump } from '../../ports/dump.ts';
import { ACCOUNTS } from '../accounts.ts';
import { API_KEYS } from '../api-keys.ts';
import { AUDIT } from '../audit.ts';
import { CODES } from '../codes.ts';
import { DELIVERIES } from '../deliveries.ts';
import { IDENTITIES } from '../identities.ts';
import { APIS, CLIENTS, KEYRING, METADATA, ORGANIZATIONS } from '../installation.ts';
import { LEASES } from '../leases.ts';
import { LINK_TOKENS } from '../link-tokens.ts';
import { OIDC_RECORDS, type OidcRecordRow } from '../oidc-records.ts';
import { PRESENCE, type PresenceRow } from '../presence.ts';
import { ATTEMPTS, REMEMBERED, WINDOWS } from '../rate-limits.ts';
import { USAGE } from '../usage.ts';
import { type Database, openDatabase } from './database.ts';
import { migrate } from './migrations.ts';
import type { RecordRow, Table } from './table.ts';

type Row = Readonly<Record<string, SQLInputValue>>;

const TABLES: { readonly [Subject in DumpSubject]: Table<object, DumpedRecords[Subject]> } = {
  metadata: METADATA,
  organizations: ORGANIZATIONS,
  clients: CLIENTS,
  apis: APIS,
  accounts: ACCOUNTS,
  identities: IDENTITIES,
  apiKeys: API_KEYS,
  keyring: KEYRING,
  oidcRecords: {
    ...OIDC_RECORDS,
    recordOf: (row: OidcRecordRow) => ({ ...OIDC_RECORDS.recordOf(row), kind: row.kind }),
  },
  codes: CODES,
  linkTokens: {
    ...LINK_TOKENS,
    recordOf: (row: RecordRow & { hash: string }) => ({ ...LINK_TOKENS.recordOf(row), hash: row.hash }),
  },
  leases: LEASES,
  presence: {
    ...PRESENCE,
    recordOf: (row: PresenceRow) => ({ ...PRESENCE.recordOf(row), accountId: row.account_id }),
  },
  deliveries: DELIVERIES,
  windows: WINDOWS,
  attempts: ATTEMPTS,
  remembered: REMEMBERED,
  audit: AUDIT,
  usage: USAGE,
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
  await migrate(database, log);
  return {
    async hold() {
      if (database.hold()) return;
      throw new StoreUnusable(
        'embedded',
        `${file} is in use. Stop the Portico that runs on it, and try again.`,
      );
    },
    digest: () => digest(database),
    count: (subject, now) =>
      database.read((sql) => {
        const { name, live } = TABLES[subject];
        const text = `SELECT count(*) AS count FROM ${name} ${live === undefined ? '' : `WHERE ${live}`}`;
        return sql.get<{ count: number }>(text, ...(live === undefined ? [] : [now]))?.count ?? 0;
      }),
    read: (subject, range) => read(database, TABLES[subject], range),
    close: () => database.close(),
  };
}

interface Range {
  readonly after?: string | undefined;
  readonly limit: number;
  /** Absent: dead rows too. */
  readonly now?: Date;
}

async function read<Subject extends DumpSubject>(
  database: Database,
  table: Table<object, DumpedRecords[Subject]>,
  range: Range,
): Promise<DumpBatch<Subject>> {
  const { rows, next } = await rowsOf(database, table, range);
  return { records: rows.map((row) => table.recordOf(row)), ...(next === undefined ? {} : { next }) };
}

function rowsOf(
  database: Database,
  { name, key, live }: Table<object, unknown>,
  { after, limit, now }: Range,
): Promise<{ rows: Row[]; next: string | undefined }> {
  return database.read((sql) => {
    const values: SQLInputValue[] = after === undefined ? [] : JSON.parse(after);
    const marks = key.map(() => '?').join(', ');
    const conditions = after === undefined ? [] : [`(${key.join(', ')}) > (${marks})`];
    if (now !== undefined && live !== undefined) {
      conditions.push(live);
      values.push(now.getTime());
    }
    const where = conditions.length > 0 ? `WHERE ${conditions.join(' AND ')}` : '';
    const text = `SELECT * FROM ${name} ${where} ORDER BY ${key.join(', ')} LIMIT ?`;
    const rows = sql.all<Row>(text, ...values, limit);
    const last = rows.length < limit ? undefined : rows.at(-1);
    return { rows, next: last && JSON.stringify(key.map((column) => last[column])) };
  });
}

async function digest(database: Database): Promise<string> {
  const hash = createHash('sha256');
  for (const table of Object.values(TABLES)) {
    hash.update(table.name);
    let after: string | undefined;
    do {
      const { rows, next } = await rowsOf(database, table, { after, limit: 1000 });
      for (const row of rows) hash.update(JSON.stringify(row));
      after = next;
    } while (after !== undefined);
  }
  return hash.digest('base64url');
}
