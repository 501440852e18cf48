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

/** A count that only some outcomes take from. Beside what is charged stands what is in flight. */
export interface Budget {
  /** Of the charged count. */
  readonly key: string;
  readonly limit: Limit;
  readonly kind: 'sliding' | 'fixed';
}

/** A request under way. */
export interface Flight {
  /** Unique per request. */
  readonly mark: string;
  /** Milliseconds after which it counts as lost. */
  readonly lifetime: number;
}

export interface Standing {
  /** In flight and charged together leave room for this flight. */
  readonly room: boolean;
  readonly charged: Taken;
}

/** What ends a flight; each key is one atomic step. */
export interface FlightEnd {
  /** Counted, and no longer in flight. A budget that was not held is only counted. */
  readonly charge?: readonly Budget[];
  /** No longer in flight. */
  readonly release?: readonly Budget[];
  /** Keys of charged counts to forget. */
  readonly clear?: readonly Budget['key'][];
  readonly remember?: { readonly key: string; readonly until: Date };
}

export interface RateLimitStore {
  /**
   * Puts a flight on all budgets or on none. Each budget is one atomic step: it has room while in flight and
   * charged together are below the limit. Held when every standing has room.
   */
  hold(budgets: readonly Budget[], flight: Flight, now: Date): Promise<readonly Standing[]>;
  /** Ends the flight `mark` in one call. A request is in flight or charged at every moment. */
  finish(mark: string, end: FlightEnd, now: Date): Promise<void>;
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
  /** Undefined: the key was not seen, or its memory has ended. */
  rememberedUntil(key: string, now: Date): Promise<Date | undefined>;
}
