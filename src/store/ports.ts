/**
 * What Portico needs of a database, by subject. Three back ends implement it: `embedded/` (one SQLite
 * file), and `mongo/` with `redis/` together (`distributed`). test/conformance/ holds one suite per port,
 * without a word about which back end it runs on.
 *
 * Promises that hold for every method of every port:
 * - It rejects with StoreUnavailable, within seconds, when the database cannot be reached; never hangs.
 * - Expiry is judged on read by the caller's `now`. Sweepers only clean up; no answer depends on them.
 * - Values are stored as given: identifiers that could be guessed or stolen arrive here hashed already
 *   (HMAC under a key outside the store), secret payloads arrive sealed. A store never sees a usable secret.
 * - Strings may contain any character (":", "*", NUL, newline) and never change another record's key.
 * - Records come back as copies: changing one changes nothing in the store.
 */

/** The database could not be reached or did not answer in time. Answered as 503 with Retry-After. */
export class StoreUnavailable extends Error {
  override readonly name = 'StoreUnavailable';
  readonly store: string;
  constructor(store: string, options?: ErrorOptions) {
    super(`The ${store} store cannot be reached.`, options);
    this.store = store;
  }
}

/**
 * The store answers, but must not be used as it is: a file that is no database, a schema of a newer
 * Portico, a folder without write permission. Waiting does not help; the message says what does.
 */
export class StoreUnusable extends Error {
  override readonly name = 'StoreUnusable';
  readonly store: string;
  constructor(store: string, message: string, options?: ErrorOptions) {
    super(message, options);
    this.store = store;
  }
}

/** How names are compared that must be unique without case. The same in every back end. */
export { foldCase as foldName } from '../text.ts';

export interface Stores {
  readonly accounts: AccountStore;
  readonly identities: IdentityStore;
  readonly organizations: OrganizationStore;
  readonly clients: ClientStore;
  readonly apiKeys: ApiKeyStore;
  readonly artifacts: ArtifactStore;
  readonly keyring: KeyringStore;
  readonly attempts: AttemptStore;
  readonly codes: CodeStore;
  readonly tickets: TicketStore;
  readonly claims: ClaimStore;
  readonly presence: PresenceStore;
  readonly audit: AuditStore;
  readonly facts: FactStore;
  /** Creates or upgrades what the back end needs (tables, indexes). Safe to repeat and to run from many processes at once. */
  migrate(): Promise<void>;
  /**
   * One entry per server behind this back end, each written to and read back: a full or read-only one is not ok.
   * Never rejects.
   */
  health(): Promise<StoreHealth[]>;
  /** How full the memory of short-lived records is, from 0 to 1; 0 where it has no bound or does not tell. A moment old. */
  fullness(): Promise<number>;
  /** Deletes records that expired before `now`, in bounded batches; resolves with how many. */
  sweep(now: Date): Promise<number>;
  close(): Promise<void>;
}

export interface StoreHealth {
  readonly name: string;
  readonly ok: boolean;
  readonly detail?: string;
}

/* ------------------------------------------------------------------ accounts */

export type AccountStatus = 'active' | 'inactive' | 'blocked';

/** OIDC Core 5.1.1. */
export interface AddressClaim {
  formatted?: string;
  street_address?: string;
  locality?: string;
  region?: string;
  postal_code?: string;
  country?: string;
}

/** Standard claims of OIDC Core 5.1 that an account may carry besides e-mail and username. */
export interface ProfileClaims {
  name?: string;
  given_name?: string;
  family_name?: string;
  middle_name?: string;
  nickname?: string;
  profile?: string;
  website?: string;
  picture?: string;
  gender?: string;
  birthdate?: string;
  zoneinfo?: string;
  locale?: string;
  phone_number?: string;
  phone_number_verified?: boolean;
  address?: AddressClaim;
}

export type Json = null | boolean | number | string | Json[] | { [member: string]: Json };

/** A person in one organization. */
export interface AccountRecord {
  /** Opaque and constant: the OIDC `sub`. */
  readonly id: string;
  readonly organization: string;
  status: AccountStatus;
  /** As the person may read it: trimmed, NFC, lower case. Unique per organization, compared folded. */
  email?: string;
  emailVerified: boolean;
  /** Sign-in name. Unique per organization, compared folded. */
  username?: string;
  /** PHC string, or bcrypt text of an imported account. */
  passwordHash?: string;
  claims: ProfileClaims;
  /** What operators gave; what a vendor's own registration implies stands in `vendor.<name>.role`. */
  roles: string[];
  /** Where the person opened the account: 'hosted', or a dialect's name. Absent: an operator made it. */
  readonly openedAt?: string;
  /** Per-vendor ids, e.g. `{ vsee: '20000000001' }`. Each (name, value) is unique over all organizations. */
  aliases: Record<string, string>;
  /** Members that only one vendor knows, by dialect name. */
  vendor: Record<string, Record<string, Json>>;
  createdAt: Date;
  updatedAt: Date;
  /** Raised by every update; the value compared by compare-and-set. Starts at 1. */
  version: number;
  /** Set by `touch` only. */
  lastSignInAt?: Date;
}

export type TakenName = 'id' | 'email' | 'username' | `alias:${string}`;
export type InsertOutcome = 'inserted' | { taken: TakenName };
export type UpdateOutcome = 'updated' | 'conflict' | 'gone' | { taken: TakenName };

export interface AccountStore {
  /** Inserts once. Uniqueness is an index: of parallel inserts of one name exactly one gets 'inserted'. */
  insert(account: AccountRecord): Promise<InsertOutcome>;
  byId(id: string): Promise<AccountRecord | undefined>;
  /** `email` in any case; folded (NFC, lower case) here. */
  byEmail(organization: string, email: string): Promise<AccountRecord | undefined>;
  byUsername(organization: string, username: string): Promise<AccountRecord | undefined>;
  byAlias(alias: string, value: string): Promise<AccountRecord | undefined>;
  /**
   * Replaces the record if its stored version is `account.version`, and stores it with version + 1.
   * 'conflict': somebody else was faster; nothing changed. lastSignInAt is left as stored.
   */
  update(account: AccountRecord): Promise<UpdateOutcome>;
  /** Notes a sign-in. Does not move version or updatedAt. */
  touch(id: string, at: Date): Promise<void>;
  /** Removes the record for good; true if it was there. */
  remove(id: string): Promise<boolean>;
  /** Accounts of one organization in order of id, at most `limit`, beginning after `after`. */
  page(organization: string, options: { after?: string; limit: number }): Promise<AccountRecord[]>;
}

/** A link between an account and an upstream identity. */
export interface IdentityRecord {
  readonly organization: string;
  readonly issuer: string;
  readonly subject: string;
  readonly accountId: string;
  readonly createdAt: Date;
}

export interface IdentityStore {
  /** 'taken' when (organization, issuer, subject) is linked already, to whomever. Unique by index. */
  link(identity: IdentityRecord): Promise<'linked' | 'taken'>;
  find(organization: string, issuer: string, subject: string): Promise<IdentityRecord | undefined>;
  listByAccount(accountId: string): Promise<IdentityRecord[]>;
  unlink(organization: string, issuer: string, subject: string): Promise<boolean>;
  removeByAccount(accountId: string): Promise<number>;
}

/* ------------------------------------------------------------------ organizations, clients, keys */

/** A user directory (a tenant). */
export interface OrganizationRecord {
  readonly id: string;
  name: string;
  /** Host names that name this organization, lower case, without port. Each belongs to one organization at most. */
  hosts: string[];
  branding?: Record<string, Json>;
  /** Whether people may open accounts themselves; absent: they may not. A client may say otherwise for itself. */
  registration?: boolean;
  vendor: Record<string, Record<string, Json>>;
}

export interface OrganizationStore {
  put(organization: OrganizationRecord): Promise<'stored' | { taken: `host:${string}` }>;
  byId(id: string): Promise<OrganizationRecord | undefined>;
  byHost(host: string): Promise<OrganizationRecord | undefined>;
  list(): Promise<OrganizationRecord[]>;
}

/** An OAuth client. `metadata` holds RFC 7591 names without the secret. */
export interface ClientRecord {
  readonly clientId: string;
  organization: string;
  /** HMAC-SHA256 of the secret under the server's key; absent for public clients. */
  secretHash?: string;
  allOrganizations: boolean;
  firstParty: boolean;
  introspects: string[];
  revokes: string[];
  /** The client of a dialect: refused at /authorize and /token. */
  dialect?: string;
  metadata: Record<string, Json>;
}

export interface ClientStore {
  put(client: ClientRecord): Promise<void>;
  byId(clientId: string): Promise<ClientRecord | undefined>;
  list(): Promise<ClientRecord[]>;
  remove(clientId: string): Promise<boolean>;
}

export interface ApiKeyRecord {
  readonly id: string;
  readonly organization: string;
  /** Dialect that takes this key. */
  readonly vendor: string;
  /** Owner; absent for a key of the organization itself (VSee). */
  readonly accountId?: string;
  readonly name: string;
  readonly keyHash: string;
  readonly secretHash?: string;
  readonly scopes: string[];
  readonly createdAt: Date;
  readonly expiresAt?: Date;
  lastUsedAt?: Date;
}

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

/* ------------------------------------------------------------------ artifacts of the OIDC engine */

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

/** The signing keys, as one sealed document with a version, so that a rotation is one compare-and-set. */
export interface KeyringStore {
  read(): Promise<{ version: number; sealed: string } | undefined>;
  /** `expected` 0: only when there is none yet. Stored as expected + 1. False: somebody was faster. */
  write(sealed: string, expected: number): Promise<boolean>;
}

/* ------------------------------------------------------------------ counters */

export interface Limit {
  /** Events allowed in any stretch of `window`. */
  readonly limit: number;
  /** Milliseconds. */
  readonly window: number;
}

export interface Taken {
  readonly allowed: boolean;
  /** Events in the window, this one included when allowed. */
  readonly count: number;
  /** Milliseconds until one more would be allowed; 0 when there is room now. */
  readonly retryAfter: number;
}

export interface AttemptStore {
  /**
   * Sliding window. Counts one event under `mark` if there is room, in one atomic step: of N parallel
   * calls at most `limit` are allowed. A refused call leaves no trace. `mark` is unique per event.
   */
  take(key: string, mark: string, limit: Limit, now: Date): Promise<Taken>;
  /** Reads without counting; `allowed` tells whether there is room. */
  peek(key: string, limit: Limit, now: Date): Promise<Taken>;
  /** Takes the event `mark` back. */
  giveBack(key: string, mark: string): Promise<void>;
  clear(key: string): Promise<void>;
  /**
   * Fixed window that begins with its first counted event. `retryAfter` is the milliseconds until it ends,
   * also when allowed. A refused call is not counted.
   */
  takeInWindow(key: string, limit: Limit, now: Date): Promise<Taken>;
  peekWindow(key: string, limit: Limit, now: Date): Promise<Taken>;
  /** Remembers until `until` that `key` was seen (an account's client addresses). */
  remember(key: string, until: Date): Promise<void>;
  remembered(key: string, now: Date): Promise<boolean>;
}

/* ------------------------------------------------------------------ one-time codes, tickets, claims, presence */

export interface CodeRecord {
  /** HMAC over account, purpose and code. */
  readonly codeHash: string;
  readonly accountId: string;
  readonly organization: string;
  readonly expiresAt: Date;
  readonly createdAt: Date;
  /** Which client asked for it, as a hash; '' where the key names the request itself. */
  readonly asker: string;
  /** Wrong tries that each client has. The code is dead when its asker has used them up. */
  readonly tries: number;
}

/** Codes of one key that are good at the same time, each asked for by another client. */
export const KEPT_CODES = 3;

export interface CodeStore {
  /**
   * One code per key and asker: replaces the asker's older one, and the asker has all its tries again. Of
   * one key the newest KEPT_CODES stay.
   */
  put(key: string, code: CodeRecord): Promise<void>;
  /**
   * Tries a code, in one atomic step: 'right' spends it with all others of the key and is answered to exactly
   * one caller; 'wrong' counts a try of the client `from`, and no other client's; 'dead' when no code lives
   * or `from` has no tries left.
   */
  attempt(key: string, from: string, codeHash: string, now: Date): Promise<'right' | 'wrong' | 'dead'>;
  remove(key: string): Promise<void>;
  removeByAccount(accountId: string): Promise<void>;
}

export interface TicketRecord {
  /** What it is good for: 'reset', 'verify', 'upstream-state', ... */
  readonly purpose: string;
  readonly organization: string;
  readonly accountId?: string;
  /** Sealed JSON of the caller's. */
  readonly data: string;
  readonly createdAt: Date;
  readonly expiresAt: Date;
}

export interface TicketStore {
  put(hash: string, ticket: TicketRecord): Promise<void>;
  /** Reads without spending. */
  read(hash: string, purpose: string, now: Date): Promise<TicketRecord | undefined>;
  /** Compare-and-set: the ticket goes to exactly one caller. */
  spend(hash: string, purpose: string, now: Date): Promise<TicketRecord | undefined>;
  /** Ends tickets of an account; all purposes when `purpose` is undefined. */
  removeByAccount(accountId: string, purpose?: string): Promise<void>;
}

/**
 * A claim makes one of many callers, over all nodes, do a piece of work, and lets the others have its
 * result. Also used for "this may happen once" (a used upstream ID token): claim and never settle.
 */
export interface ClaimStore {
  /** Set-if-absent: true for exactly one caller until `until`. */
  claim(key: string, owner: string, now: Date, until: Date): Promise<boolean>;
  /** Stores the result, only while `owner` holds the claim; kept until `until`. */
  settle(key: string, owner: string, result: { sealed: string; at: Date; until: Date }): Promise<boolean>;
  read(key: string, now: Date): Promise<ClaimState>;
  /** Gives an unsettled claim up, so that another caller can do the work. */
  release(key: string, owner: string): Promise<void>;
  /** Forgets a claim and its result, whoever holds it (a revocation must win over a replay). */
  forget(key: string): Promise<void>;
}

export type ClaimState = 'free' | 'claimed' | { readonly sealed: string; readonly at: Date };

export interface PresenceRecord {
  readonly lastSeenAt: Date;
  readonly until: Date;
}

export interface PresenceStore {
  put(accountId: string, presence: PresenceRecord): Promise<void>;
  read(accountId: string, now: Date): Promise<PresenceRecord | undefined>;
  remove(accountId: string): Promise<void>;
}

/* ------------------------------------------------------------------ audit, facts */

export interface AuditRecord {
  readonly at: Date;
  /** e.g. 'sign-in', 'grant.revoked'. */
  readonly event: string;
  readonly outcome: 'success' | 'refused' | 'error';
  readonly organization?: string;
  /** Account id, or a pseudonym where there is no account. Never an address. */
  readonly subject?: string;
  readonly clientId?: string;
  readonly address?: string;
  readonly requestId?: string;
  readonly detail?: Record<string, Json>;
}

export interface AuditStore {
  append(record: AuditRecord): Promise<void>;
  /** Newest first. */
  latest(options: { limit: number; organization?: string; subject?: string }): Promise<AuditRecord[]>;
  /** Removes what was written before `moment`, some at a time; resolves with how many. */
  removeBefore(moment: Date): Promise<number>;
}

/** Small facts about the installation itself: which seed files were loaded, the back end's identity. */
export interface FactStore {
  get(name: string): Promise<string | undefined>;
  set(name: string, value: string): Promise<void>;
  /** True when it was absent and is now set: for exactly one caller. */
  setOnce(name: string, value: string): Promise<boolean>;
}

/* ------------------------------------------------------------------ moving to another back end */

/** A moment up to which a claim is held, by whom, and what came out of it. */
export interface ClaimRecord {
  readonly key: string;
  readonly owner: string;
  readonly until: Date;
  readonly result?: { readonly sealed: string; readonly at: Date };
}

/** Everything that a store holds, whole: what it takes to write the same through the ports of another. */
export interface DumpedRecords {
  facts: { readonly name: string; readonly value: string };
  organizations: OrganizationRecord;
  clients: ClientRecord;
  accounts: AccountRecord;
  identities: IdentityRecord;
  apiKeys: ApiKeyRecord;
  keyring: { readonly version: number; readonly sealed: string };
  artifacts: StoredArtifact & { readonly kind: ArtifactKind };
  /** `tries` are those that are left. */
  codes: CodeRecord & { readonly key: string };
  tickets: TicketRecord & { readonly hash: string };
  claims: ClaimRecord;
  presence: PresenceRecord & { readonly accountId: string };
  /** One key of a fixed window; it ends at `until`. */
  windows: { readonly key: string; readonly count: number; readonly until: Date };
  /** One event of a sliding window; it leaves the window at `until`. */
  attempts: { readonly key: string; readonly mark: string; readonly at: Date; readonly until: Date };
  remembered: { readonly key: string; readonly until: Date };
  /** Oldest first. */
  audit: AuditRecord;
}

export type DumpSubject = keyof DumpedRecords;

export interface DumpBatch<Subject extends DumpSubject> {
  readonly records: DumpedRecords[Subject][];
  /** Where the next batch begins; absent behind the last record. */
  readonly next?: string;
}

/**
 * A store to be read from one end to the other. Only back ends that keep every name as it was given can
 * offer it: Redis keeps hashes of most of them.
 */
export interface StoreDump {
  /**
   * Keeps every other process off the store until close(). StoreUnusable when one is using it. Not asked
   * for, the store may change while it is read.
   */
  hold(): Promise<void>;
  /** A text that is another one after any change of any record. Reads everything. */
  digest(): Promise<string>;
  /** Records that live at `now`. */
  count(subject: DumpSubject, now: Date): Promise<number>;
  /** At most `limit` records that live at `now`, in an order that does not change, from `after` on. */
  read<Subject extends DumpSubject>(
    subject: Subject,
    options: { after?: string; limit: number; now: Date },
  ): Promise<DumpBatch<Subject>>;
  close(): Promise<void>;
}
