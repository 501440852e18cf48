/**
 * Fast hashes of other systems inside one of ours: `$wrapped`, the recipe of the fast hash with a blank key, and
 * argon2id of its key. A thief of the store has to pay for argon2id with each guess.
 */
import { argon2, wholeChecks } from './argon2.ts';
import type { HashFamily, HashKeys, HashReading } from './hash-family.ts';

const WRAPPED = /^\$wrapped(.+?)(\$argon2id\$.+)$/;

export function wrappedText(recipe: string, argon2id: string): string {
  return `$wrapped${recipe}${argon2id}`;
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
      const matches = async (password: string) => outer.matches(await derive(password));
      return {
        ...wholeChecks(`wrapped ${inner.kind} ${inner.work} ${outer.kind}`, matches),
        text,
        blank: wrappedText(inner.blank, outer.blank),
      };
    },
  };
}
