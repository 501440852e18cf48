/** The name that a client gives itself: people read it on the consent page. */
import { takeText } from '../../core/text.ts';

/** Characters. */
const LONGEST = 100;

/** Control characters, what is invisible, and what turns the direction of the text around it. */
const UNSEEN = /[\p{C}\p{Zl}\p{Zp}\p{Default_Ignorable_Code_Point}\u2800]/u;

/** Marks that pile up over the lines around them. */
const PILE = /\p{M}{4}/u;

/** Letters that look like those of the Latin alphabet; no language has both in one word. */
const LOOKS_LATIN =
  /[\p{Script=Cyrillic}\p{Script=Greek}\p{Script=Armenian}\p{Script=Cherokee}\p{Script=Lisu}]/u;

/** The name as it is stored. Throws a sentence for the client's developer. */
export function takeClientName(sent: string): string {
  const name = takeText(sent, LONGEST);
  if (name === undefined) throw new RangeError(`must have ${LONGEST} characters or fewer`);
  if (!name.isWellFormed() || UNSEEN.test(name)) {
    throw new RangeError('must not have control characters or invisible ones');
  }
  if (PILE.test(name)) throw new RangeError('must not have more than three marks on a letter');
  if (name.split(/[^\p{L}\p{M}]+/u).some(isMixed)) {
    throw new RangeError('must not mix alphabets that look alike in one word');
  }
  return name;
}

function isMixed(word: string): boolean {
  return /\p{Script=Latin}/u.test(word) && LOOKS_LATIN.test(word);
}
