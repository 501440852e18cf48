/** The signing keys, as one encrypted document with a version, so that a rotation is one compare-and-set. */
export interface KeyringStore {
  read(): Promise<{ version: number; encrypted: string } | undefined>;
  /** `expected` 0: only when there is none yet. Stored as expected + 1. False: another write came first. */
  write(encrypted: string, expected: number): Promise<boolean>;
}
