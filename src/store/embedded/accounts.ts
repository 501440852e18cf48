import type { AccountRecord } from '../../model/account.ts';
import {
  type AccountStore,
  firstByLogin,
  type InsertOutcome,
  type TakenName,
  type UpdateOutcome,
} from '../ports/accounts.ts';
import { foldName } from '../ports/stores.ts';
import type { Database, Sql } from './sqlite/database.ts';
import { violates } from './sqlite/sqlite-errors.ts';

export interface AccountRow {
  readonly record: string;
  readonly version: number;
  readonly last_sign_in_at: number | null;
}

/** Thrown inside a write, so that it is undone. */
class Taken extends Error {
  readonly taken: TakenName;
  constructor(taken: TakenName) {
    super(`${taken} is taken`);
    this.taken = taken;
  }
}

const COLUMNS = 'accounts.record, accounts.version, accounts.last_sign_in_at';

export function createAccountStore(database: Database): AccountStore {
  const one = (where: string, ...values: string[]) =>
    database.read((sql) => {
      const row = sql.get<AccountRow>(`SELECT ${COLUMNS} FROM accounts ${where}`, ...values);
      return row && accountOf(row);
    });
  return {
    insert: (account) => naming<InsertOutcome>(database, (sql) => insert(sql, account)),
    byId: (id) => one('WHERE id = ?', id),
    byEmail: (organization, email) =>
      one('WHERE organization = ? AND email_folded = ?', organization, foldName(email)),
    byUsername: (organization, username) =>
      one('WHERE organization = ? AND username_folded = ?', organization, foldName(username)),
    byLogin: (organization, login, by) =>
      database.read((sql) => {
        const either = by.map((name) => `(organization = ? AND ${name}_folded = ?)`).join(' OR ');
        const rows = sql.all<AccountRow>(
          `SELECT ${COLUMNS} FROM accounts WHERE ${either}`,
          ...by.flatMap(() => [organization, foldName(login)]),
        );
        return firstByLogin(rows.map(accountOf), login, by);
      }),
    byAlias: (alias, value) =>
      one('JOIN account_aliases ON account_id = id WHERE alias = ? AND value = ?', alias, value),
    update: (account) => naming<UpdateOutcome>(database, (sql) => update(sql, account)),
    touch: (id, at) =>
      database.write((sql) => {
        sql.run('UPDATE accounts SET last_sign_in_at = ? WHERE id = ?', at.getTime(), id);
      }),
    remove: (id) => database.write((sql) => sql.run('DELETE FROM accounts WHERE id = ?', id) === 1),
    page: (organization, { after, limit }) =>
      database.read((sql) =>
        sql
          .all<AccountRow>(
            `SELECT ${COLUMNS} FROM accounts WHERE organization = ? AND id > ? ORDER BY id LIMIT ?`,
            organization,
            after ?? '',
            limit,
          )
          .map(accountOf),
      ),
  };
}

/** Runs a write that may meet a taken name; the index decides, not a look-up before it. */
async function naming<Outcome>(
  database: Database,
  work: (sql: Sql) => Outcome,
): Promise<Outcome | { taken: TakenName }> {
  try {
    return await database.write(work);
  } catch (error) {
    if (error instanceof Taken) return { taken: error.taken };
    if (violates(error, 'accounts.email_folded')) return { taken: 'email' };
    if (violates(error, 'accounts.username_folded')) return { taken: 'username' };
    if (violates(error, 'accounts.id')) return { taken: 'id' };
    throw error;
  }
}

function insert(sql: Sql, account: AccountRecord): 'inserted' {
  sql.run(
    `INSERT INTO accounts (id, organization, email_folded, username_folded, version, last_sign_in_at, record)
     VALUES (?, ?, ?, ?, ?, ?, ?)`,
    account.id,
    account.organization,
    account.email === undefined ? null : foldName(account.email),
    account.username === undefined ? null : foldName(account.username),
    account.version,
    account.lastSignInAt?.getTime() ?? null,
    JSON.stringify(account),
  );
  insertAliases(sql, account);
  return 'inserted';
}

function update(sql: Sql, account: AccountRecord): 'updated' | 'conflict' | 'gone' {
  const changed = sql.run(
    `UPDATE accounts SET organization = ?, email_folded = ?, username_folded = ?, version = version + 1, record = ?
     WHERE id = ? AND version = ?`,
    account.organization,
    account.email === undefined ? null : foldName(account.email),
    account.username === undefined ? null : foldName(account.username),
    JSON.stringify(account),
    account.id,
    account.version,
  );
  if (changed === 0) return sql.get('SELECT 1 FROM accounts WHERE id = ?', account.id) ? 'conflict' : 'gone';
  sql.run('DELETE FROM account_aliases WHERE account_id = ?', account.id);
  insertAliases(sql, account);
  return 'updated';
}

function insertAliases(sql: Sql, account: AccountRecord): void {
  for (const [alias, value] of Object.entries(account.aliases)) {
    const added = sql.run(
      'INSERT INTO account_aliases (alias, value, account_id) VALUES (?, ?, ?) ON CONFLICT DO NOTHING',
      alias,
      value,
      account.id,
    );
    if (added === 0) throw new Taken(`alias:${alias}`);
  }
}

export function accountOf(row: AccountRow): AccountRecord {
  const record = JSON.parse(row.record);
  const { lastSignInAt: _stale, ...account } = record;
  return {
    ...account,
    createdAt: new Date(record.createdAt),
    updatedAt: new Date(record.updatedAt),
    version: row.version,
    ...(row.last_sign_in_at === null ? {} : { lastSignInAt: new Date(row.last_sign_in_at) }),
  };
}
