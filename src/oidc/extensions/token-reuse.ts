/**
 * What ends when a code or a refresh token is used a second time (RFC 9700, 4.14.2; RFC 6749, 4.1.2): the
 * tokens that stem from it, and nothing else. A repeat within the leeway, by the same authenticated client
 * with the same verifier, is a retry and ends nothing.
 */

import type { Clock } from '../../core/clock.ts';
import type { EngineContext } from '../provider/context.ts';
import { routeOf } from '../provider/context.ts';
import type { EngineRecord } from '../provider/models.ts';
import { within } from '../tokens/leeway.ts';
import { notesOf } from './request-notes.ts';

export type Theft = { readonly family: string } | 'only-a-retry';

/** Undefined: the request is about something else, e.g. a revocation. */
export function theftAt(
  ctx: EngineContext | undefined,
  facts: { clock: Clock; leeway: number },
): Theft | undefined {
  if (!ctx || routeOf(ctx) !== 'token') return undefined;
  const { code } = notesOf(ctx);
  if (code?.consumedAt !== undefined) {
    return within(code.consumedAt, facts) ? 'only-a-retry' : { family: code.family };
  }
  const refresh = (ctx.oidc.entities as Record<string, EngineRecord | undefined>).RefreshToken;
  return refresh?.consumed !== undefined && refresh.family !== undefined
    ? { family: refresh.family }
    : undefined;
}
