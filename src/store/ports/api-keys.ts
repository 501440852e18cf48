import type { ApiKeyRecord } from '../../model/api-key.ts';

export interface ApiKeyStore {
  /** 'taken' when the id or the key hash is there already. 'full' when the owner has `limit` keys (atomic; only with accountId). */
  insert(key: ApiKeyRecord, limit?: number): Promise<'inserted' | 'taken' | 'full'>;
  byHash(keyHash: string): Promise<ApiKeyRecord | undefined>;
  byId(id: string): Promise<ApiKeyRecord | undefined>;
  /** Oldest first. */
  listByAccount(accountId: string): Promise<ApiKeyRecord[]>;
  listByOrganization(organization: string): Promise<ApiKeyRecord[]>;
  touch(id: string, at: Date): Promise<void>;
  /** True for exactly one caller. With `accountId`, only if it is the owner. */
  remove(id: string, accountId?: string): Promise<boolean>;
  removeByAccount(accountId: string): Promise<number>;
}
