/** The signing keys, as one sealed document with a version, so that a rotation is one compare-and-set. */
export interface KeyringStore {
  read(): Promise<{ version: number; sealed: string } | undefined>;
  /** `expected` 0: only when there is none yet. Stored as expected + 1. False: somebody was faster. */
  write(sealed: string, expected: number): Promise<boolean>;
}
