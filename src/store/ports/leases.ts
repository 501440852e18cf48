/**
 * A claim makes one of many callers, over all nodes, do a piece of work, and lets the others have its
 * result. Also used for "this may happen once" (a used upstream ID token): claim and never settle.
 */
export interface LeaseStore {
  /** Set-if-absent: true for exactly one caller until `until`. */
  acquire(key: string, owner: string, now: Date, until: Date): Promise<boolean>;
  /** Stores the result, only while `owner` holds the claim; kept until `until`. */
  complete(
    key: string,
    owner: string,
    result: { encrypted: string; at: Date; until: Date },
  ): Promise<boolean>;
  read(key: string, now: Date): Promise<LeaseState>;
  /** Gives an unsettled claim up, so that another caller can do the work. */
  release(key: string, owner: string): Promise<void>;
  /** Forgets a claim and its result, whoever holds it (a revocation must win over a replay). */
  forget(key: string): Promise<void>;
}

export type LeaseState = 'free' | 'claimed' | { readonly encrypted: string; readonly at: Date };

/** A moment up to which a claim is held, by whom, and what came out of it. */
export interface LeaseRecord {
  readonly key: string;
  readonly owner: string;
  readonly until: Date;
  readonly result?: { readonly encrypted: string; readonly at: Date };
}
