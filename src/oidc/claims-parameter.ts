/**
 * The claims parameter (OIDC Core 5.5) is JSON from outside, which the engine later copies by recursion: some
 * thousand brackets in each other would end a pushed request with a fault of ours (security.md H3).
 */
import { errors } from 'oidc-provider';

/** What a claim asks for may be an object itself; nothing that is asked for in earnest comes near this. */
const DEEPEST = 32;

export function refuseDeepClaims(_ctx: unknown, claims: string | undefined): void {
  if (claims !== undefined && depthOf(claims) > DEEPEST) {
    throw new errors.InvalidRequest('claims parameter is nested too deeply');
  }
}

/** Of a text that is JSON. */
function depthOf(json: string): number {
  let depth = 0;
  let deepest = 0;
  for (const [sign] of json.replace(/"(?:[^"\\]|\\.)*"/g, '').matchAll(/[[\]{}]/g)) {
    depth += sign === '[' || sign === '{' ? 1 : -1;
    deepest = Math.max(deepest, depth);
  }
  return deepest;
}
