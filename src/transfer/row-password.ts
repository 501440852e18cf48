/** The password of a row: a text, or a hash that another system made. */
import { type ForeignHashOptions, readForeignHash } from '../identity/hashes/foreign-hash.ts';
import type { PasswordHasher } from '../identity/passwords/hasher.ts';
import type { PersonRow } from './row.ts';

export interface PasswordRules extends ForeignHashOptions {
  readonly hasher: PasswordHasher;
  /** Hashes that are guessed too fast are not taken: the legacy system is asked about those passwords. */
  readonly isLazy: boolean;
}

export interface RowPassword {
  /** For people: of which family. */
  readonly family: string;
  /** What is to be stored takes a hash of ours. */
  readonly isCostly: boolean;
  /** To be noted before an account is stored that has it. */
  readonly decoy?: string;
  /** What is to be stored. */
  make(): Promise<string>;
  /** Whether the stored hash is this password's. */
  isThat(stored: string): Promise<boolean>;
}

export function passwordOf(
  rules: PasswordRules,
  { password, password_hash: text, password_salt: salt }: PersonRow,
): RowPassword | { readonly issue: string } | undefined {
  const { hasher, isLazy } = rules;
  const isRight = async (clear: string, stored: string) => (await hasher.verify(clear, stored)).right;
  if (password !== undefined && text !== undefined)
    return { issue: 'password_hash: there is a password too' };
  if (password !== undefined && readForeignHash(password).kind !== 'refused')
    return { issue: 'password: is a hash, which belongs in password_hash' };
  if (password !== undefined)
    return {
      family: 'plain',
      isCostly: true,
      make: () => hasher.hash(password),
      isThat: (stored) => isRight(password, stored),
    };
  if (text === undefined) return undefined;
  const read = readForeignHash(text, { ...rules, salt });
  if (read.kind === 'refused') return { issue: `password_hash: ${read.reason}` };
  const { family, decoy } = read;
  if (read.kind === 'kept') {
    const { hash } = read;
    return {
      family,
      decoy,
      isCostly: false,
      make: async () => hash,
      isThat: async (stored) => stored === hash,
    };
  }
  if (isLazy) return undefined;
  return {
    family: `${family}, wrapped`,
    decoy,
    isCostly: true,
    make: () => read.wrap((key) => hasher.hash(key)),
    isThat: (stored) => read.isIn(stored, isRight),
  };
}
