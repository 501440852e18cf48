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
