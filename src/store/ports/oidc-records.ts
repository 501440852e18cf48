/** oidc-provider's model names. */
export type OidcRecordKind = string;

export interface OidcRecordRecord {
  /** Encrypted JSON. */
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

export interface StoredOidcRecord extends OidcRecordRecord {
  readonly id: string;
  readonly consumedAt?: Date;
}

export interface OidcRecordInput {
  readonly kind: OidcRecordKind;
  readonly id: string;
  readonly record: OidcRecordRecord;
}

/** An encrypted payload, wherever it lies. */
export interface StoredPayload {
  readonly kind: OidcRecordKind;
  readonly id: string;
  readonly payload: string;
}

export interface PayloadBatch {
  readonly payloads: StoredPayload[];
  /** Where the next batch begins; absent behind the last one. */
  readonly next?: string;
}

/** A refresh token is used: its successors are stored, and the reply is kept as the result of its lease. */
export interface Rotation {
  readonly used: Pick<OidcRecordInput, 'kind' | 'id'>;
  readonly successors: readonly OidcRecordInput[];
  readonly lease: { key: string; owner: string; encrypted: string; at: Date; until: Date };
}

/** A code is redeemed: it is consumed, and its successors are stored. */
export interface Redemption extends Pick<Rotation, 'used' | 'successors'> {
  readonly now: Date;
}

export interface OidcRecordStore {
  /** Creates or replaces; keeps `consumedAt` of a record that was consumed (a late save must not un-consume). */
  put(kind: OidcRecordKind, id: string, oidcRecord: OidcRecordRecord): Promise<void>;
  /** As `put`, of records with different ids, in one call. After an error any of them may be stored. */
  putAll(records: readonly OidcRecordInput[]): Promise<void>;
  /**
   * All of it at once; false, and nothing is changed: the lease is held or has its result, or the record is gone,
   * expired or was consumed before. Absent where records and leases do not lie in one place: there a rotation is
   * several steps under a lease (oidc/tokens/refresh-rotation.ts).
   */
  rotate?(rotation: Rotation): Promise<boolean>;
  /** As `consume`, then `putAll`, at once. Absent where all kinds do not lie in one place. */
  redeem?(redemption: Redemption): Promise<boolean>;
  byId(kind: OidcRecordKind, id: string, now: Date): Promise<StoredOidcRecord | undefined>;
  byUid(kind: OidcRecordKind, uid: string, now: Date): Promise<StoredOidcRecord | undefined>;
  byUserCode(kind: OidcRecordKind, userCode: string, now: Date): Promise<StoredOidcRecord | undefined>;
  /** Compare-and-set: true for exactly one caller; false when consumed before, expired or gone. */
  consume(kind: OidcRecordKind, id: string, now: Date): Promise<boolean>;
  /** True for exactly one caller. */
  remove(kind: OidcRecordKind, id: string): Promise<boolean>;
  /** Everything of this kind that hangs on the grant; all kinds when `kind` is undefined. Resolves with how many. */
  removeByGrant(kind: OidcRecordKind | undefined, grantId: string): Promise<number>;
  /** Live records of an account, e.g. its Grants or Sessions. Newest first. */
  listByAccount(kind: OidcRecordKind, accountId: string, now: Date): Promise<StoredOidcRecord[]>;
  listByGrant(kind: OidcRecordKind, grantId: string, now: Date): Promise<StoredOidcRecord[]>;
  /**
   * Every payload, about `limit` at a time, from `after` on (`next` of the batch before). What is there from the
   * first batch to the last comes at least once.
   */
  payloads(options: { after?: string | undefined; limit: number }): Promise<PayloadBatch>;
  /** About how many. */
  countPayloads(): Promise<number>;
  /**
   * Gives each record another payload, but only where it still has `before`: a record that changed or ended
   * meanwhile is left alone. Nothing else of it changes, its end neither.
   */
  replacePayloads(changes: readonly (StoredPayload & { readonly before: string })[]): Promise<void>;
  /** Records of the kind Grant that a client has, in no order, at most `limit`. */
  listGrantsOfClient(clientId: string, limit: number, now: Date): Promise<StoredOidcRecord[]>;
}
