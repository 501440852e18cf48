export interface ApiKeyRecord {
  readonly id: string;
  readonly organization: string;
  /** Dialect that takes this key. */
  readonly vendor: string;
  /** Owner; absent for a key of the organization itself. */
  readonly accountId?: string;
  readonly name: string;
  readonly keyHash: string;
  readonly secretHash?: string;
  readonly scopes: string[];
  readonly createdAt: Date;
  readonly expiresAt?: Date;
  lastUsedAt?: Date;
}
