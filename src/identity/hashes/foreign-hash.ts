/** Judges a password hash that another system made: what is stored of it, or why it is not taken. */
import { OWN_BLANK } from './argon2.ts';
import { digestText, templateOf } from './digest.ts';
import { firebaseText } from './firebase-scrypt.ts';
import type { HashKeys, HashRefusal } from './hash-family.ts';
import { NO_KEYS, readStored, respelt } from './read-hash.ts';
import { wrappedText } from './wrapped.ts';

interface Taken {
  readonly family: string;
  /** For noteHashes, before an account is stored that has the hash. */
  readonly decoy: string;
}

export type ForeignHash =
  | (Taken & { readonly kind: 'kept'; readonly hash: string })
  /** Guessed too fast to be stored as it is. */
  | (Taken & {
      readonly kind: 'weak';
      /** What is stored: argon2id around it. `hash` is PasswordHasher's. */
      wrap(hash: (text: string) => Promise<string>): Promise<string>;
      /** Whether this one is inside what is stored. `isRight` asks PasswordHasher. */
      isIn(stored: string, isRight: (text: string, hash: string) => Promise<boolean>): Promise<boolean>;
    })
  /** `reason` has nothing of the hash in it. */
  | { readonly kind: 'refused'; readonly reason: string };

export interface ForeignHashOptions {
  /**
   * What the text does not say of itself: `meteor`, `devise:<name>`, `firebase:<name>`, or a template of digest.ts.
   * Names are the configuration's, below `passwords.imported`.
   */
  readonly recipe?: string | undefined;
  /** Where it stands beside the hash: with a template as its writer used it, of Firebase in Base64. */
  readonly salt?: string | undefined;
  readonly keys?: HashKeys;
}

const NOT_OF_RECIPE = 'is not what its recipe says';

export function readForeignHash(text: string, options: ForeignHashOptions = {}): ForeignHash {
  const { recipe, keys = NO_KEYS } = options;
  const spelt = recipe === undefined ? respelt(text) : byRecipe(recipe, text, options);
  if (typeof spelt !== 'string') return { kind: 'refused', reason: spelt.refused };
  const reading = readStored(spelt, keys);
  if (reading === undefined)
    return { kind: 'refused', reason: 'must be of a hash family that docs/import.md lists' };
  if ('refused' in reading) return { kind: 'refused', reason: reading.refused };
  const { family, fast, lacks, blank } = reading;
  if (lacks !== undefined) return { kind: 'refused', reason: `needs ${lacks} of the configuration` };
  if (fast === undefined) return { kind: 'kept', family, decoy: blank, hash: reading.text };
  const decoy = wrappedText(blank, OWN_BLANK);
  const around = wrappedText(fast.recipe, '');
  return {
    kind: 'weak',
    family,
    decoy,
    wrap: async (hash) => around + (await hash(fast.key)),
    isIn: async (stored, isRight) =>
      stored.startsWith(around) && isRight(fast.key, stored.slice(around.length)),
  };
}

function byRecipe(
  recipe: string,
  text: string,
  { salt, keys = NO_KEYS }: ForeignHashOptions,
): string | HashRefusal {
  const [, name = '', option = ''] = /^(meteor|devise|firebase)(?::([\w-]+))?$/.exec(recipe) ?? [];
  const hash = respelt(text);
  // An older or newer hash beside the others may say of itself what it is.
  if (name !== 'meteor' && name !== 'devise' && readStored(hash, keys) !== undefined) return hash;
  if (name === 'firebase') return firebaseText(option, { key: text, salt }, keys);
  if (name === '') return byTemplate(recipe, text, salt);
  if (!hash.startsWith('$2')) return { refused: NOT_OF_RECIPE };
  return name === 'meteor' ? `$sha256-hex${hash}` : `$devise:${option}${hash}`;
}

/** The salt may stand in the text, as in Django's `md5$salt$key`. */
function byTemplate(template: string, text: string, apart: string | undefined): string | HashRefusal {
  const judged = templateOf(template);
  if ('refused' in judged) return judged;
  const [, inside, key = text] = /^\w+\$([^$]*)\$([^$]+)$/.exec(text) ?? [];
  const salt = apart ?? inside;
  if (template.includes('{salt') && salt === undefined) return { refused: 'has no salt' };
  return digestText(template, { key, salt }) ?? { refused: NOT_OF_RECIPE };
}
