/**
 * The claims parameter (OIDC Core 5.5) is JSON from outside. The provider asks its members later as though they
 * had the types of the standard, and copies them by recursion: `"values": null` or some thousand brackets in
 * each other would end a request with our own 500.
 */
import { type ClaimsParameter, errors } from 'oidc-provider';
import type { ProviderContext } from '../provider/context.ts';

/** A claim's value may be an object itself. No real request is nested nearly as deep. */
const DEEPEST = 32;

export function judgeClaims(ctx: ProviderContext, claims: ClaimsParameter): void {
  if (depthOf(String(ctx.oidc.params?.claims)) > DEEPEST) {
    throw new errors.InvalidRequest('claims parameter is nested too deeply');
  }
  const input = [claims.userinfo, claims.id_token].flatMap((target) => Object.values(target ?? {}));
  if (!input.every(isWellFormed)) {
    throw new errors.InvalidRequest(
      'a claim is asked for by null, or by an object whose essential is true or false and whose values is a list',
    );
  }
}

/** Other members are ignored, as the standard says (5.5.1). */
function isWellFormed(claim: unknown): boolean {
  if (claim === null) return true;
  if (typeof claim !== 'object' || Array.isArray(claim)) return false;
  const essential = 'essential' in claim ? claim.essential : undefined;
  const values = 'values' in claim ? claim.values : undefined;
  return (
    (essential === undefined || typeof essential === 'boolean') &&
    (values === undefined || Array.isArray(values))
  );
}

/** One pass over the text, whatever it holds. */
function depthOf(text: string): number {
  let depth = 0;
  let deepest = 0;
  let quoted = false;
  for (let at = 0; at < text.length; at += 1) {
    const sign = text[at];
    if (sign === '"') quoted = !quoted;
    else if (quoted) at += sign === '\\' ? 1 : 0;
    else if (sign === '[' || sign === '{') depth += 1;
    else if (sign === ']' || sign === '}') depth -= 1;
    deepest = Math.max(deepest, depth);
  }
  return deepest;
}
