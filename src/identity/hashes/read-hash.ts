/** The families of password hashes that are known here, and how a text of any of them is read. */
import { argon2 } from './argon2.ts';
import { bcrypt } from './bcrypt.ts';
import { digest } from './digest.ts';
import { firebaseScrypt } from './firebase-scrypt.ts';
import type { HashFamily, HashKeys, HashReading, HashRefusal } from './hash-family.ts';
import { keycloak } from './keycloak.ts';
import { pbkdf2 } from './pbkdf2.ts';
import { phpass } from './phpass.ts';
import { scrypt } from './scrypt.ts';
import { shaCrypt } from './sha-crypt.ts';
import { wrappedFamily } from './wrapped.ts';

const FAMILIES: readonly HashFamily[] = [
  ...[argon2, bcrypt, scrypt, pbkdf2, firebaseScrypt, phpass, shaCrypt, digest],
  wrappedFamily((recipe, keys) => readHash(recipe, keys)),
];

const SPELLINGS = [...FAMILIES.flatMap(({ spellings = [] }) => spellings), keycloak];

export const NO_KEYS: HashKeys = { firebase: {}, devise: {} };

export type NamedReading = (HashReading & { readonly family: string }) | HashRefusal;

/** As it is stored. Undefined: of no family. */
export function readStored(text: string, keys: HashKeys): NamedReading | undefined {
  for (const family of FAMILIES) {
    const reading = family.read(text, keys);
    if (reading !== undefined) return 'refused' in reading ? reading : { ...reading, family: family.name };
  }
  return undefined;
}

/** How to check against a stored hash; undefined when the form is not known or costs too much. */
export function readHash(text: string, keys: HashKeys = NO_KEYS): HashReading | undefined {
  const reading = readStored(text, keys);
  return reading === undefined || 'refused' in reading ? undefined : reading;
}

/** The text as its family writes it. */
export function respelt(text: string): string {
  for (const [form, rewrite] of SPELLINGS) {
    const found = form.exec(text);
    const result = found === null ? undefined : rewrite(...found.slice(1));
    if (result !== undefined) return result;
  }
  return text;
}
