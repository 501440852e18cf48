export interface PresenceRecord {
  readonly lastSeenAt: Date;
  readonly until: Date;
}

export interface PresenceStore {
  put(accountId: string, presence: PresenceRecord): Promise<void>;
  read(accountId: string, now: Date): Promise<PresenceRecord | undefined>;
  remove(accountId: string): Promise<void>;
}
