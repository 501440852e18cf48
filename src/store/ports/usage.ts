/** Who called a dialect on one day (UTC), as src/usage writes it. */
export interface UsageDay {
  /** '2026-11-29'. */
  readonly day: string;
  readonly dialect: string;
  readonly tallies: string;
}

export interface UsageStore {
  /** `next` gets what is stored, undefined: nothing yet, and may be called again. Of callers at once each change counts. */
  change(day: string, dialect: string, next: (tallies: string | undefined) => string): Promise<void>;
  /** That day and those after it, in order. */
  since(day: string): Promise<UsageDay[]>;
  /** Resolves with how many it removed. */
  removeBefore(day: string): Promise<number>;
}
