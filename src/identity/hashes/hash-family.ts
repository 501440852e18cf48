/**
 * What a family of password hashes is: one way to read texts of it. Costs are capped by each, because one hash that
 * takes a minute would hold one of the few slots for a minute.
 */
import { timingSafeEqual } from 'node:crypto';

export interface PasswordCheck {
  /** What two checks have in common whose work can be told by one number. */
  readonly kind: string;
  /** Of one check, in a unit of the kind: rounds, or one where the kind names every cost. */
  readonly work: number;
  /** Tells whether the password is the one; the bytes are hashed as given. */
  matches(password: string): Promise<boolean>;
  /** So much work of the kind, for nothing. */
  spend(password: string, work: number): Promise<void>;
}

export interface HashReading extends PasswordCheck {
  /** What is stored. */
  readonly text: string;
  /** A text of the same kind and cost that holds nothing of this one: salt and key are blank. */
  readonly blank: string;
  /** How many bytes of a password it looks at, where it does not look at all of them. */
  readonly sees?: number;
  /** Which key of HashKeys it would need; without it no password matches. */
  readonly lacks?: string;
  /** Guessed so fast that it is never stored as it is. */
  readonly fast?: FastHash;
}

export interface FastHash {
  /** The text without its key: with a password, all there is to know to make the key. */
  readonly recipe: string;
  /** In Base64. */
  readonly key: string;
  derive(password: string): Promise<string>;
}

/** Why a hash of the family is not taken. */
export interface HashRefusal {
  readonly refused: string;
}

/** Secrets of other systems that their hashes do not hold, by the names that the configuration gives them. */
export interface HashKeys {
  readonly firebase: Readonly<Record<string, FirebaseProject>>;
  readonly devise: Readonly<Record<string, { readonly pepper: string }>>;
}

/** As Firebase's console shows it; keys in Base64. */
export interface FirebaseProject {
  readonly signerKey: string;
  readonly saltSeparator: string;
  readonly rounds: number;
  readonly memCost: number;
}

export interface HashFamily {
  readonly name: string;
  /** Undefined: of another family. */
  read(text: string, keys: HashKeys): HashReading | HashRefusal | undefined;
  /** Other forms of the same hash, and how the family writes them. The first that fits counts. */
  readonly spellings?: readonly Spelling[];
}

export type Spelling = readonly [form: RegExp, rewrite: (...groups: string[]) => string | undefined];

/** A hash whose check makes a key from password and salt. */
export function keyedHash(hash: {
  readonly kind: string;
  readonly work: number;
  readonly fast: boolean;
  readonly salt: Buffer;
  readonly key: Buffer;
  /** What stands for nothing in salt and key. Default: zero bytes. */
  readonly blank?: string;
  spell(salt: Buffer, key: Buffer): string;
  derive(password: string, work: number): Promise<Buffer>;
}): HashReading {
  const { kind, work, fast, salt, key, blank = '\0', spell, derive } = hash;
  const blankKey = Buffer.alloc(key.byteLength, blank);
  const recipe = spell(salt, blankKey);
  return {
    ...{ kind, work },
    text: spell(salt, key),
    blank: spell(Buffer.alloc(salt.byteLength, blank), blankKey),
    ...(fast && {
      fast: {
        recipe,
        key: toBase64(key),
        derive: async (password) => toBase64(await derive(password, work)),
      },
    }),
    async matches(password) {
      const made = await derive(password, work);
      return made.byteLength === key.byteLength && timingSafeEqual(made, key);
    },
    async spend(password, due) {
      await derive(password, due);
    },
  };
}

/** Of a fast digest: below it, a guesser tries millions of passwords in a second. */
export const FEWEST_ROUNDS = 10_000;

/** What one check may take, in bytes that are written through and in bytes at once. */
export const MAX_MEMORY = 2 ** 28;
export const MAX_MEMORY_PASSES = 2 ** 32;

export const COSTS_TOO_MUCH: HashRefusal = { refused: 'costs more than a sign-in may' };

/** Base64 without padding, as PHC has it. */
export function toBase64(bytes: Buffer): string {
  return bytes.toString('base64').replaceAll('=', '');
}
