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

export interface RateLimitStore {
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
