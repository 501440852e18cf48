import type { IdentityRecord } from '../../model/upstream-identity.ts';
import type { IdentityStore } from '../ports/identities.ts';
import type { Database } from './sqlite/database.ts';
import { add, find, list, remove, type Table } from './sqlite/table.ts';

interface IdentityRow {
  readonly organization: string;
  readonly issuer: string;
  readonly subject: string;
  readonly account_id: string;
  readonly created_at: number;
}

export const IDENTITIES: Table<IdentityRow, IdentityRecord> = {
  name: 'identities',
  key: ['organization', 'issuer', 'subject'],
  recordOf: ({ organization, issuer, subject, account_id, created_at }) => ({
    organization,
    issuer,
    subject,
    accountId: account_id,
    createdAt: new Date(created_at),
  }),
};

export function createIdentityStore(database: Database): IdentityStore {
  return {
    link: ({ organization, issuer, subject, accountId, createdAt }) =>
      database.write((sql) => {
        const row = { organization, issuer, subject, account_id: accountId, created_at: createdAt };
        return add(sql, 'identities', row) ? 'linked' : 'taken';
      }),
    find: (organization, issuer, subject) =>
      database.read((sql) => find(sql, IDENTITIES, { organization, issuer, subject })),
    listByAccount: (accountId) =>
      database.read((sql) => list(sql, IDENTITIES, { account_id: accountId }, { order: 'created_at' })),
    unlink: (organization, issuer, subject) =>
      database.write((sql) => remove(sql, 'identities', { organization, issuer, subject }) === 1),
    removeByAccount: (accountId) =>
      database.write((sql) => remove(sql, 'identities', { account_id: accountId })),
  };
}
