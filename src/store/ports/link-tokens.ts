export interface LinkTokenRecord {
  /** What it is good for: 'reset', 'verify', 'upstream-state', ... */
  readonly purpose: string;
  readonly organization: string;
  readonly accountId?: string;
  /** Encrypted JSON of the caller's. */
  readonly data: string;
  readonly createdAt: Date;
  readonly expiresAt: Date;
}

export interface LinkTokenStore {
  put(hash: string, linkToken: LinkTokenRecord): Promise<void>;
  /** Reads without spending. */
  read(hash: string, purpose: string, now: Date): Promise<LinkTokenRecord | undefined>;
  /** Compare-and-set: the link token goes to exactly one caller. */
  spend(hash: string, purpose: string, now: Date): Promise<LinkTokenRecord | undefined>;
  /** Ends link tokens of an account; all purposes when `purpose` is undefined. */
  removeByAccount(accountId: string, purpose?: string): Promise<void>;
}
