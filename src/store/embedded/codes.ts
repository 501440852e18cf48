import type { CodeStore } from '../ports/codes.ts';
import type { DumpedRecords } from '../ports/dump.ts';
import { KEPT_CODES, recordFrom } from '../ports/stores.ts';
import type { Database, Sql } from './sqlite/database.ts';
import { LIVE, remove, type Table } from './sqlite/table.ts';

/** A row is a client's: its code, and the tries it has left. `code_hash` is '' for one that asked for no code. */
interface CodeRow {
  readonly key: string;
  readonly asker: string;
  readonly code_hash: string;
  readonly account_id: string;
  readonly tries_left: number;
  readonly expires_at: number;
  readonly record: string;
}

export const CODES: Table<CodeRow, DumpedRecords['codes']> = {
  name: 'codes',
  key: ['key', 'asker'],
  live: `${LIVE} AND tries_left > 0 AND code_hash <> ''`,
  recordOf: ({ key, asker, record, ...row }) => ({
    ...recordFrom<DumpedRecords['codes']>(record, ['createdAt']),
    key,
    asker,
    codeHash: row.code_hash,
    accountId: row.account_id,
    expiresAt: new Date(row.expires_at),
    tries: row.tries_left,
  }),
};

interface Try {
  readonly key: string;
  readonly from: string;
  readonly codeHash: string;
  readonly now: number;
}

const PUT = `INSERT OR REPLACE INTO codes (key, asker, code_hash, account_id, tries_left, expires_at, record)
  VALUES (?, ?, ?, ?, ?, ?, ?)`;
const DROP_OLDEST = `DELETE FROM codes WHERE key = ?1 AND code_hash <> '' AND asker NOT IN
  (SELECT asker FROM codes WHERE key = ?1 AND code_hash <> '' ORDER BY expires_at DESC, rowid DESC LIMIT ?2)`;

export function createCodeStore(database: Database): CodeStore {
  return {
    put: (key, { asker, codeHash, accountId, tries, expiresAt, organization, createdAt }) =>
      database.write((sql) => {
        const record = JSON.stringify({ organization, createdAt, tries });
        sql.run(PUT, key, asker, codeHash, accountId, tries, expiresAt, record);
        sql.run(DROP_OLDEST, key, KEPT_CODES);
      }),
    attempt: (key, from, codeHash, now) =>
      database.write((sql) => attempt(sql, { key, from, codeHash, now: now.getTime() })),
    async remove(key) {
      await database.write((sql) => remove(sql, 'codes', { key }));
    },
    async removeByAccount(accountId) {
      await database.write((sql) => remove(sql, 'codes', { account_id: accountId }));
    },
  };
}

function attempt(sql: Sql, { key, from, codeHash, now }: Try): 'right' | 'wrong' | 'dead' {
  const rows = sql.all<CodeRow>(
    'SELECT * FROM codes WHERE key = ? AND expires_at > ? ORDER BY expires_at DESC',
    key,
    now,
  );
  const codes = rows.filter((row) => row.code_hash !== '' && row.tries_left > 0);
  const [newest] = codes;
  const own = rows.find((row) => row.asker === from);
  if (newest === undefined || (own !== undefined && own.tries_left <= 0)) return 'dead';
  if (codes.some((row) => row.code_hash === codeHash)) {
    sql.run('DELETE FROM codes WHERE key = ?', key);
    return 'right';
  }
  const { account_id, expires_at, record } = newest;
  if (own === undefined) sql.run(PUT, key, from, '', account_id, triesOf(newest) - 1, expires_at, record);
  else sql.run('UPDATE codes SET tries_left = tries_left - 1 WHERE key = ? AND asker = ?', key, from);
  return 'wrong';
}

/** The tries that the code began with; a record of an earlier version does not say. */
function triesOf(row: CodeRow): number {
  return JSON.parse(row.record).tries ?? row.tries_left;
}
