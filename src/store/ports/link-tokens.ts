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
