/** The password of a row: a text, or a hash that another system made. */
import type { PasswordHasher } from '../identity/passwords/hasher.ts';
import { readHash } from '../identity/passwords/imported-hash.ts';
import type { PersonRow } from './row.ts';

export interface RowPassword {
  /** For people: of what form. */
  readonly form: string;
  /** What is to be stored takes a hash of ours. */
  readonly isCostly: boolean;
  /** What is to be stored. */
  make(): Promise<string>;
  /** Whether the stored hash is this password's. */
  isThat(stored: string): Promise<boolean>;
}

export function passwordOf(
  hasher: PasswordHasher,
  { password, password_hash: hash }: PersonRow,
): RowPassword | { readonly issue: string } | undefined {
  if (password !== undefined && hash !== undefined)
    return { issue: 'password_hash: there is a password too' };
  if (password !== undefined)
    return {
      form: 'plain',
      isCostly: true,
      make: () => hasher.hash(password),
      isThat: async (stored) => (await hasher.verify(password, stored)).right,
    };
  if (hash === undefined) return undefined;
  const reading = readHash(hash);
  if (reading === undefined) return { issue: 'password_hash: is of no form that is known here' };
  return {
    form: reading.kind.split(' ')[0] ?? '',
    isCostly: false,
    make: async () => hash,
    isThat: async (stored) => stored === hash,
  };
}
