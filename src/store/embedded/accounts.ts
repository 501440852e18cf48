import type { AccountRecord } from '../../model/account.ts';
import type { AccountStore, InsertOutcome, TakenName, UpdateOutcome } from '../ports/accounts.ts';
import { firstByLogin, foldName, recordFrom, standingsText } from '../ports/stores.ts';
import type { Database, Sql } from './sqlite/database.ts';
import { violates } from './sqlite/sqlite-errors.ts';
import { add, dateOf, find, finder, insert, remove, type Table } from './sqlite/table.ts';

export interface AccountRow {
  readonly record: string;
  readonly version: number;
  readonly last_sign_in_at: number | null;
}

const COLUMNS = ['record', 'version', 'last_sign_in_at'] as const;

export const ACCOUNTS: Table<AccountRow, AccountRecord> = {
  name: 'accounts',
  key: ['id'],
  recordOf: ({ record, version, last_sign_in_at }) =>
    recordFrom<AccountRecord>(record, ['createdAt', 'updatedAt'], {
      version,
      lastSignInAt: dateOf(last_sign_in_at),
    }),
};

/** Thrown inside a write, so that it is undone. */
class Taken extends Error {
  readonly taken: TakenName;
  constructor(taken: TakenName) {
    super(`${taken} is taken`);
    this.taken = taken;
  }
}

export function createAccountStore(database: Database): AccountStore {
  const byId = finder(ACCOUNTS, 'id', COLUMNS);
  const ofPage = `SELECT ${COLUMNS.join(', ')} FROM accounts WHERE organization = ? AND id > ? ORDER BY id LIMIT ?`;
  return {
    insert: (account) => naming<InsertOutcome>(database, (sql) => insertAccount(sql, account)),
    insertMany: (accounts) => database.write((sql) => accounts.map((account) => insertAlone(sql, account))),
    byId: (id) => database.read((sql) => byId(sql, id)),
    byEmail: (organization, email) =>
      database.read((sql) => find(sql, ACCOUNTS, { organization, email_folded: foldName(email) })),
    byUsername: (organization, username) =>
      database.read((sql) => find(sql, ACCOUNTS, { organization, username_folded: foldName(username) })),
    byLogin: (organization, login, by) =>
      database.read((sql) => {
        const either = by.map((name) => `(organization = ? AND ${name}_folded = ?)`).join(' OR ');
        const rows = sql.all<AccountRow>(
          `SELECT * FROM accounts WHERE ${either}`,
          ...by.flatMap(() => [organization, foldName(login)]),
        );
        return firstByLogin(rows.map(ACCOUNTS.recordOf), login, by);
      }),
    byAlias: (alias, value) =>
      database.read((sql) => {
        const row = sql.get<AccountRow>(
          'SELECT accounts.* FROM accounts JOIN account_aliases ON account_id = id WHERE alias = ? AND value = ?',
          alias,
          value,
        );
        return row && ACCOUNTS.recordOf(row);
      }),
    update: (account) => naming<UpdateOutcome>(database, (sql) => update(sql, account)),
    async touch(id, at) {
      const text = 'UPDATE accounts SET last_sign_in_at = ? WHERE id = ?';
      await database.write((sql) => sql.run(text, at, id), { passing: true });
    },
    remove: (id) => database.write((sql) => remove(sql, 'accounts', { id }) === 1),
    page: (organization, { after, limit }) =>
      database.read((sql) =>
        sql.all<AccountRow>(ofPage, organization, after ?? '', limit).map(ACCOUNTS.recordOf),
      ),
    tally: (organization) =>
      database.read((sql) => {
        const text =
          'SELECT standings, count(*) AS count FROM accounts WHERE organization = ? GROUP BY standings';
        const rows = sql.all<{ standings: string | null; count: number }>(text, organization);
        return rows.map(({ standings, count }) => ({ standings: JSON.parse(standings ?? '{}'), count }));
      }),
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
    return { taken: takenIn(error) };
  }
}

/** The name whose index refused the write. Throws what is no refusal. */
function takenIn(error: unknown): TakenName {
  if (error instanceof Taken) return error.taken;
  if (violates(error, 'accounts.email_folded')) return 'email';
  if (violates(error, 'accounts.username_folded')) return 'username';
  if (violates(error, 'accounts.id')) return 'id';
  throw error;
}

export const foldedNames = ({ email, username }: AccountRecord) => ({
  email_folded: email === undefined ? undefined : foldName(email),
  username_folded: username === undefined ? undefined : foldName(username),
});

function insertAccount(sql: Sql, account: AccountRecord): 'inserted' {
  const { id, organization, version, lastSignInAt } = account;
  insert(sql, 'accounts', {
    id,
    organization,
    ...foldedNames(account),
    version,
    last_sign_in_at: lastSignInAt,
    standings: standingsText(account),
    record: JSON.stringify(account),
  });
  insertAliases(sql, account);
  return 'inserted';
}

/** One of many in a transaction: its refusal undoes it alone. */
function insertAlone(sql: Sql, account: AccountRecord): InsertOutcome {
  sql.run('SAVEPOINT account');
  try {
    insertAccount(sql, account);
    sql.run('RELEASE account');
    return 'inserted';
  } catch (error) {
    const taken = takenIn(error);
    sql.run('ROLLBACK TO account');
    sql.run('RELEASE account');
    return { taken };
  }
}

function update(sql: Sql, account: AccountRecord): 'updated' | 'conflict' | 'gone' {
  const { id, organization, version } = account;
  const { email_folded, username_folded } = foldedNames(account);
  const changed = sql.run(
    `UPDATE accounts SET organization = ?, email_folded = ?, username_folded = ?, standings = ?,
     version = version + 1, record = ? WHERE id = ? AND version = ?`,
    ...[organization, email_folded, username_folded, standingsText(account)],
    ...[JSON.stringify(account), id, version],
  );
  if (changed === 0) return sql.get('SELECT 1 FROM accounts WHERE id = ?', id) ? 'conflict' : 'gone';
  remove(sql, 'account_aliases', { account_id: id });
  insertAliases(sql, account);
  return 'updated';
}

function insertAliases(sql: Sql, account: AccountRecord): void {
  for (const [alias, value] of Object.entries(account.aliases)) {
    if (!add(sql, 'account_aliases', { alias, value, account_id: account.id }))
      throw new Taken(`alias:${alias}`);
  }
}
