/**
 * Refresh token reuse detection, and the same for codes (RFC 9700, 4.14.2; RFC 6749, 4.1.2): a second use ends
 * the tokens that stem from the first, and nothing else. A repeat within the leeway, by the same authenticated
 * client with the same verifier, is a retry and ends nothing.
 */

import type { Clock } from '../../core/clock.ts';
import type { ProviderRecord } from '../extensions/models.ts';
import { notesOf } from '../extensions/request-notes.ts';
import { type ProviderContext, routeOf } from '../provider/context.ts';
import { within } from '../tokens/leeway.ts';

export type TokenReuse = { readonly family: string } | 'only-a-retry';

/** Undefined: the request is about something else, e.g. a revocation. */
export function reusedAt(
  ctx: ProviderContext | undefined,
  context: { clock: Clock; leeway: number },
): TokenReuse | undefined {
  if (!ctx || routeOf(ctx) !== 'token') return undefined;
  const { code } = notesOf(ctx);
  if (code?.consumedAt !== undefined) {
    return within(code.consumedAt, context) ? 'only-a-retry' : { family: code.family };
  }
  const refresh = (ctx.oidc.entities as Record<string, ProviderRecord | undefined>).RefreshToken;
  return refresh?.consumed !== undefined && refresh.family !== undefined
    ? { family: refresh.family }
    : undefined;
}
