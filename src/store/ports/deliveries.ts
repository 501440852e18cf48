/**
 * One message of the outbox: a logout that a client has not taken yet, or a token that an upstream has not revoked yet.
 * It is kept until it is taken, and for a while after the deliverer gave it up, so that an operator can have it sent
 * again.
 */
export interface DeliveryRecord {
  /** The same for the same end of the same session, however often it is asked for. */
  readonly id: string;
  /** Of a revocation: the upstream. */
  readonly clientId: string;
  readonly accountId: string;
  readonly organization?: string;
  /** The session, by the name that the client knows; of a revocation, the id of the token (identity/codes). */
  readonly sid: string;
  /** An upstream's token is to be revoked. */
  readonly revokes?: true;
  readonly createdAt: Date;
  /** When the next try is due; during a try, when another node may try. Absent: given up. */
  readonly dueAt?: Date;
  /** Not tried after this. */
  readonly endsAt: Date;
  /** When the record goes, delivered or not. */
  readonly expiresAt: Date;
  /** How many tries have begun. */
  readonly tries: number;
  /** Why the last try failed. */
  readonly problem?: string;
  readonly version: number;
}

export interface DeliveryStore {
  /** Adds those whose id is new, in one call; resolves with their ids. After an error any of them may be stored. */
  add(deliveries: readonly DeliveryRecord[]): Promise<string[]>;
  /** Those to try at `now`, the longest due first, without those of the clients `except`. */
  due(now: Date, options: { limit: number; except: readonly string[] }): Promise<DeliveryRecord[]>;
  /** Compare-and-set: replaces the record if its stored version is `delivery.version`; stored with version + 1. */
  update(delivery: DeliveryRecord): Promise<boolean>;
  remove(id: string): Promise<boolean>;
  byId(id: string, now: Date): Promise<DeliveryRecord | undefined>;
  /** Newest first. `waiting` false: those that were given up. */
  list(now: Date, options: DeliveryFilter & { limit: number }): Promise<DeliveryRecord[]>;
}

export interface DeliveryFilter {
  readonly clientId?: string | undefined;
  readonly waiting?: boolean | undefined;
}
