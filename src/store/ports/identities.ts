import type { IdentityRecord } from '../../model/upstream-identity.ts';

export interface IdentityStore {
  /** 'taken' when (organization, issuer, subject) is linked already, to whomever. Unique by index. */
  link(identity: IdentityRecord): Promise<'linked' | 'taken'>;
  find(organization: string, issuer: string, subject: string): Promise<IdentityRecord | undefined>;
  listByAccount(accountId: string): Promise<IdentityRecord[]>;
  unlink(organization: string, issuer: string, subject: string): Promise<boolean>;
  removeByAccount(accountId: string): Promise<number>;
}
