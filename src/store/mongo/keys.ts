import { createHash } from 'node:crypto';

/** What may stand in a key as it is, so that an operator recognizes it. */
const PLAIN = /^[\w.@:+/-]{1,200}$/;

/**
 * One text for one or several parts, different for different parts whatever they contain: ("a", "b:c")
 * never meets ("a:b", "c"). Long ones are hashed, because an index entry should stay small.
 */
export function keyOf(...deps: readonly string[]): string {
  const [only = ''] = deps;
  if (deps.length === 1 && PLAIN.test(only)) return only;
  // JSON escapes NUL and quotes, and begins with "[", which no plain key contains.
  const text = JSON.stringify(deps);
  return text.length <= 400 ? text : `[sha256]${createHash('sha256').update(text).digest('base64url')}`;
}
