import type { AccountRecord, LegacyStanding } from '../../model/account.ts';

export type TakenName = 'id' | 'email' | 'username' | `alias:${string}`;

export type InsertOutcome = 'inserted' | { taken: TakenName };

export type UpdateOutcome = 'updated' | 'conflict' | 'gone' | { taken: TakenName };

export type LoginName = 'email' | 'username';

export interface Tally {
  /** By dialect; empty: no legacy system knows them. */
  readonly standings: Readonly<Record<string, LegacyStanding>>;
  readonly count: number;
}

export interface AccountStore {
  /** Inserts once. Uniqueness is an index: of parallel inserts of one name exactly one gets 'inserted'. */
  insert(account: AccountRecord): Promise<InsertOutcome>;
  /** As `insert`, of many in one call; the outcomes in their order. After an error any of them may be stored. */
  insertMany(accounts: readonly AccountRecord[]): Promise<InsertOutcome[]>;
  byId(id: string): Promise<AccountRecord | undefined>;
  /** `email` in any case; folded (NFC, lower case) here. */
  byEmail(organization: string, email: string): Promise<AccountRecord | undefined>;
  byUsername(organization: string, username: string): Promise<AccountRecord | undefined>;
  /** The account whose name `login` is, by the first of `by` that leads to one. The same work whichever does. */
  byLogin(organization: string, login: string, by: readonly LoginName[]): Promise<AccountRecord | undefined>;
  byAlias(alias: string, value: string): Promise<AccountRecord | undefined>;
  /**
   * Replaces the record if its stored version is `account.version`, and stores it with version + 1.
   * 'conflict': another write came first; nothing changed. lastSignInAt is left as stored.
   */
  update(account: AccountRecord): Promise<UpdateOutcome>;
  /** Notes a sign-in. Does not move version or updatedAt. */
  touch(id: string, at: Date): Promise<void>;
  /** Removes the record for good; true if it was there. */
  remove(id: string): Promise<boolean>;
  /** Accounts of one organization in order of id, at most `limit`, beginning after `after`. */
  page(organization: string, options: { after?: string; limit: number }): Promise<AccountRecord[]>;
  /** How many accounts of the organization stand alike at all legacy systems. From an index, in no order. */
  tally(organization: string): Promise<Tally[]>;
}
