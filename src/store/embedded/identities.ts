import type { IdentityRecord } from '../../model/upstream-identity.ts';
import type { IdentityStore } from '../ports/identities.ts';
import type { Database } from './sqlite/database.ts';

export interface IdentityRow {
  readonly organization: string;
  readonly issuer: string;
  readonly subject: string;
  readonly account_id: string;
  readonly created_at: number;
}

export function createIdentityStore(database: Database): IdentityStore {
  return {
    link: (identity) =>
      database.write((sql) => {
        const added = sql.run(
          `INSERT INTO identities (organization, issuer, subject, account_id, created_at)
           VALUES (?, ?, ?, ?, ?) ON CONFLICT DO NOTHING`,
          identity.organization,
          identity.issuer,
          identity.subject,
          identity.accountId,
          identity.createdAt.getTime(),
        );
        return added === 1 ? 'linked' : 'taken';
      }),
    find: (organization, issuer, subject) =>
      database.read((sql) => {
        const row = sql.get<IdentityRow>(
          'SELECT * FROM identities WHERE organization = ? AND issuer = ? AND subject = ?',
          organization,
          issuer,
          subject,
        );
        return row && identityOf(row);
      }),
    listByAccount: (accountId) =>
      database.read((sql) =>
        sql
          .all<IdentityRow>('SELECT * FROM identities WHERE account_id = ? ORDER BY created_at', accountId)
          .map(identityOf),
      ),
    unlink: (organization, issuer, subject) =>
      database.write(
        (sql) =>
          sql.run(
            'DELETE FROM identities WHERE organization = ? AND issuer = ? AND subject = ?',
            organization,
            issuer,
            subject,
          ) === 1,
      ),
    removeByAccount: (accountId) =>
      database.write((sql) => sql.run('DELETE FROM identities WHERE account_id = ?', accountId)),
  };
}

export function identityOf(row: IdentityRow): IdentityRecord {
  return {
    organization: row.organization,
    issuer: row.issuer,
    subject: row.subject,
    accountId: row.account_id,
    createdAt: new Date(row.created_at),
  };
}
