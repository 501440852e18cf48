/**
 * Refresh token reuse detection, and the same for codes (RFC 9700, 4.14.2; RFC 6749, 4.1.2): a second use ends
 * the tokens that stem from the first, and nothing else. A repeat within the leeway, by the same authenticated
 * client with the same verifier, is a retry and ends nothing; of a client of the profile FAPI 2 no code is tried again.
 */
import Provider from 'oidc-provider';
import { entityOf } from '../extensions/models.ts';
import { notesOf } from '../extensions/request-notes.ts';
import { isFapi2 } from '../profiles/fapi2.ts';
import { type ProviderContext, routeOf } from '../provider/context.ts';
import { within } from '../tokens/refresh-rotation.ts';
import type { ProviderDeps } from './deps.ts';

/** Ends what a revocation of this grant is about, in the request that is running. */
export function tokenEnder(deps: ProviderDeps): (grantId: string) => Promise<void> {
  return async (grantId) => {
    const ctx = Provider.ctx;
    const reuse = reusedAt(ctx, deps);
    if (reuse === undefined) return deps.oidcRecords.endTokens(grantId);
    if (reuse === 'only-a-retry') return;
    await deps.oidcRecords.endFamily(grantId, reuse.family);
    if (ctx) deps.line(ctx, 'token.reused', 'refused');
  };
}

/** Undefined: the request is about something else, e.g. a revocation. */
export function reusedAt(
  ctx: ProviderContext | undefined,
  deps: ProviderDeps,
): { readonly family: string } | 'only-a-retry' | undefined {
  if (!ctx || routeOf(ctx) !== 'token') return undefined;
  const { code } = notesOf(ctx);
  if (code?.consumedAt !== undefined) {
    // A client of the profile asks once: whatever comes after is taken for a stolen code.
    const isRetry = within(code.consumedAt, deps) && !isFapi2(ctx.oidc.client);
    return isRetry ? 'only-a-retry' : { family: code.family };
  }
  const refresh = entityOf(ctx, 'RefreshToken');
  return refresh?.consumed !== undefined && refresh.family !== undefined
    ? { family: refresh.family }
    : undefined;
}
