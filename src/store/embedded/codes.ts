import type { CodeStore } from '../ports.ts';
import type { Database, Sql } from './database.ts';

export function createCodeStore(database: Database): CodeStore {
  return {
    put: (key, code) =>
      database.write((sql) => {
        sql.run(
          `INSERT OR REPLACE INTO codes (key, code_hash, account_id, tries_left, expires_at, record)
           VALUES (?, ?, ?, ?, ?, ?)`,
          key,
          code.codeHash,
          code.accountId,
          code.tries,
          code.expiresAt.getTime(),
          JSON.stringify({ organization: code.organization, createdAt: code.createdAt }),
        );
      }),
    attempt: (key, codeHash, now) => database.write((sql) => attempt(sql, key, codeHash, now)),
    remove: (key) =>
      database.write((sql) => {
        sql.run('DELETE FROM codes WHERE key = ?', key);
      }),
    removeByAccount: (accountId) =>
      database.write((sql) => {
        sql.run('DELETE FROM codes WHERE account_id = ?', accountId);
      }),
  };
}

function attempt(sql: Sql, key: string, codeHash: string, now: Date): 'right' | 'wrong' | 'dead' {
  const alive = 'key = ? AND tries_left > 0 AND expires_at > ?';
  const spent = sql.run(`DELETE FROM codes WHERE code_hash = ? AND ${alive}`, codeHash, key, now.getTime());
  if (spent === 1) return 'right';
  const counted = sql.run(`UPDATE codes SET tries_left = tries_left - 1 WHERE ${alive}`, key, now.getTime());
  return counted === 1 ? 'wrong' : 'dead';
}
