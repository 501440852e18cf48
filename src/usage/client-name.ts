/**
 * The client's name in a tally: the first product of its User-Agent, `OldApp/1.2`. What follows it may tell of a
 * device or a person, and is not read.
 */
import { redactText } from '../observe/redact.ts';

const LONGEST = 64;

const PRODUCT = /^[\w!#$%&'*+.^`|~-]+(?:\/[\w!#$%&'*+.^`|~-]+)?(?=$|[\s(;,])/;

/** In brackets, which no product has. */
const NO_CLIENT = '(none)';
const UNREADABLE = '(unreadable)';

export function clientName(userAgent: string): string {
  if (userAgent === '') return NO_CLIENT;
  const product = PRODUCT.exec(userAgent)?.[0];
  if (product === undefined) return UNREADABLE;
  // Some clients send a token as their name.
  const name = redactText(product);
  return name === product ? name.slice(0, LONGEST) : UNREADABLE;
}
