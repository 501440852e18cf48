/**
 * A lease lets one of many callers, over all nodes, do a piece of work, and gives the others its result. Also
 * used for what may happen once (a used upstream ID token): acquired and never completed.
 */
export interface LeaseStore {
  /** Set-if-absent: true for exactly one caller until `until`. */
  acquire(key: string, owner: string, now: Date, until: Date): Promise<boolean>;
  /** Stores the result until `until`, only while `owner` holds the lease. */
  complete(
    key: string,
    owner: string,
    result: { encrypted: string; at: Date; until: Date },
  ): Promise<boolean>;
  read(key: string, now: Date): Promise<LeaseState>;
  /** Gives an uncompleted lease up, so that another caller can do the work. */
  release(key: string, owner: string): Promise<void>;
  /** Deletes a lease and its result, whichever owner holds it (a revocation must win over a replay). */
  forget(key: string): Promise<void>;
}

export type LeaseState = 'free' | 'claimed' | { readonly encrypted: string; readonly at: Date };

/** Until when a lease is held, by which owner, and its result. */
export interface LeaseRecord {
  readonly key: string;
  readonly owner: string;
  readonly until: Date;
  readonly result?: { readonly encrypted: string; readonly at: Date };
}
