/**
 * Fast hashes of other systems inside one of ours: `$wrapped`, the recipe of the fast hash with a blank key, and
 * argon2id of its key. A thief of the store has to pay for argon2id with each guess.
 */
import { argon2 } from './argon2.ts';
import {
  type FastHash,
  type HashFamily,
  type HashKeys,
  type HashReading,
  toBase64,
  whole,
} from './hash-family.ts';

const WRAPPED = /^\$wrapped(.+?)(\$argon2id\$.+)$/;

/** `hash` is PasswordHasher's. */
export async function wrapped(
  { recipe, key }: FastHash,
  hash: (text: string) => Promise<string>,
): Promise<string> {
  return `$wrapped${recipe}${await hash(toBase64(key))}`;
}

/** `readFast`: reads a recipe as the hash with a blank key that it is. */
export function wrappedFamily(
  readFast: (recipe: string, keys: HashKeys) => HashReading | undefined,
): HashFamily {
  return {
    name: 'wrapped',
    read(text, keys) {
      const [, recipe = '', around = ''] = WRAPPED.exec(text) ?? [];
      if (recipe === '') return undefined;
      const inner = readFast(recipe, keys);
      const outer = argon2.read(around, keys);
      if (inner?.fast === undefined || outer === undefined)
        return { refused: 'wraps no hash that is known here' };
      if ('refused' in outer) return outer;
      const { derive } = inner.fast;
      const matches = async (password: string) => outer.matches(toBase64(await derive(password)));
      return {
        ...whole(`wrapped ${inner.kind} ${inner.work} ${outer.kind}`, matches),
        text,
        blank: `$wrapped${inner.blank}${outer.blank}`,
      };
    },
  };
}
