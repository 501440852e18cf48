/** Judges a password hash that another system made: what is stored of it, or why it is not taken. */
import { OWN_BLANK } from './argon2.ts';
import type { HashKeys } from './hash-family.ts';
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
    })
  /** `reason` has nothing of the hash in it. */
  | { readonly kind: 'refused'; readonly reason: string };

export interface ForeignHashOptions {
  /** What the text does not say of itself: `meteor`, `devise:<pepper's name>`. */
  readonly recipe?: string | undefined;
  readonly keys?: HashKeys;
}

export function readForeignHash(text: string, options: ForeignHashOptions = {}): ForeignHash {
  const { recipe, keys = NO_KEYS } = options;
  const spelt = recipe === undefined ? respelt(text) : byRecipe(recipe, text);
  if (spelt === undefined) return { kind: 'refused', reason: 'is not what the recipe says' };
  const reading = readStored(spelt, keys);
  if (reading === undefined) return { kind: 'refused', reason: 'must be a hash that is known here' };
  if ('refused' in reading) return { kind: 'refused', reason: reading.refused };
  const { family, fast, lacks, blank } = reading;
  if (lacks !== undefined) return { kind: 'refused', reason: `needs ${lacks} of the configuration` };
  if (fast === undefined) return { kind: 'kept', family, decoy: blank, hash: reading.text };
  const decoy = wrappedText(blank, OWN_BLANK);
  return {
    kind: 'weak',
    family,
    decoy,
    wrap: async (hash) => wrappedText(fast.recipe, await hash(fast.key)),
  };
}

function byRecipe(recipe: string, text: string): string | undefined {
  const [name, ...rest] = recipe.split(':');
  const hash = respelt(text);
  if (!hash.startsWith('$2')) return undefined;
  if (name === 'meteor' && rest.length === 0) return `$sha256-hex${hash}`;
  return name === 'devise' && rest.length === 1 ? `$pepper:${rest[0]}${hash}` : undefined;
}
