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

/** Of a text that may or may not be JSON: the engine says so later. One pass, whatever it holds. */
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
