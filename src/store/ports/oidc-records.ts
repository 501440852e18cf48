/** oidc-provider's model names. */
export type ArtifactKind = string;

export interface ArtifactRecord {
  /** Sealed JSON. */
  readonly payload: string;
  /** Absent: never expires. */
  readonly expiresAt?: Date;
  readonly grantId?: string;
  readonly accountId?: string;
  readonly clientId?: string;
  /** Session only: hashed. */
  readonly uid?: string;
  /** DeviceCode only: hashed. */
  readonly userCode?: string;
  readonly createdAt: Date;
  /** Lives longer than an hour: the distributed back end keeps it in MongoDB, not in Redis. */
  readonly durable: boolean;
}

export interface StoredArtifact extends ArtifactRecord {
  readonly id: string;
  readonly consumedAt?: Date;
}

export interface ArtifactStore {
  /** Creates or replaces; keeps `consumedAt` of a record that was consumed (a late save must not un-consume). */
  put(kind: ArtifactKind, id: string, artifact: ArtifactRecord): Promise<void>;
  byId(kind: ArtifactKind, id: string, now: Date): Promise<StoredArtifact | undefined>;
  byUid(kind: ArtifactKind, uid: string, now: Date): Promise<StoredArtifact | undefined>;
  byUserCode(kind: ArtifactKind, userCode: string, now: Date): Promise<StoredArtifact | undefined>;
  /** Compare-and-set: true for exactly one caller; false when consumed before, expired or gone. */
  consume(kind: ArtifactKind, id: string, now: Date): Promise<boolean>;
  /** True for exactly one caller. */
  remove(kind: ArtifactKind, id: string): Promise<boolean>;
  /** Everything of this kind that hangs on the grant; all kinds when `kind` is undefined. Resolves with how many. */
  removeByGrant(kind: ArtifactKind | undefined, grantId: string): Promise<number>;
  /** Live records of an account, e.g. its Grants or Sessions. Newest first. */
  listByAccount(kind: ArtifactKind, accountId: string, now: Date): Promise<StoredArtifact[]>;
  listByGrant(kind: ArtifactKind, grantId: string, now: Date): Promise<StoredArtifact[]>;
}
