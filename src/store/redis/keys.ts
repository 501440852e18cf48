import { createHash } from 'node:crypto';

/**
 * The key of a record: `portico:<family>:{<hash>}`. The hash covers the parts with their borders, so no
 * text in an id can forge another record's key (X5), and a key is short whatever the id is. The braces are
 * Redis Cluster's hash tag.
 */
export function keyOf(family: string, ...deps: readonly string[]): string {
  return `portico:${family}:{${hashOf(...deps)}}`;
}

/** How all keys of a family begin. */
export function startOf(family: string): string {
  return `portico:${family}:{`;
}

/** 256 bits over the parts; ("a", "bc") and ("ab", "c") differ. */
export function hashOf(...deps: readonly string[]): string {
  return createHash('sha256').update(JSON.stringify(deps)).digest('base64url');
}
