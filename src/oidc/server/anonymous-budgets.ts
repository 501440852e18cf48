/**
 * The routes that keep an unauthenticated request until a person or a client proves who it is. Each counts against
 * its client address first; the count is taken back where nothing was kept, and where the client has
 * authenticated: a confidential client pushes the requests of all its people from one address.
 */
import { Refused } from '../../core/refused.ts';
import type { AnonymousLimits } from '../../identity/rate-limits/anonymous-budgets.ts';
import type { ProviderMiddleware, StepContext } from '../provider/context.ts';
import { ROUTES } from '../provider/routes.ts';
import type { ProviderDeps } from './deps.ts';

interface Kept {
  readonly what: keyof AnonymousLimits;
  readonly entity: 'Interaction' | 'PushedAuthorizationRequest' | 'DeviceCode' | 'Session';
}

const KEPT: ReadonlyMap<string, Kept> = new Map([
  [ROUTES.authorization, { what: 'signIns', entity: 'Interaction' }],
  [ROUTES.pushed_authorization_request, { what: 'pushedRequests', entity: 'PushedAuthorizationRequest' }],
  [ROUTES.device_authorization, { what: 'deviceCodes', entity: 'DeviceCode' }],
  // The form's secret lies in a session, which has no account when the browser is not signed in.
  [ROUTES.code_verification, { what: 'signIns', entity: 'Session' }],
]);

/** Throws Refused('too-many-requests'). */
export function countAnonymousRequests({ strangers, originOf, line }: ProviderDeps): ProviderMiddleware {
  return async (ctx, next) => {
    const kept = KEPT.get(ctx.path);
    if (kept === undefined || ctx.method === 'OPTIONS') return next();
    const address = originOf(ctx.req)?.address ?? '';
    const takeBack = await strangers.count(kept.what, address).catch((error: unknown) => {
      if (error instanceof Refused) line(ctx, 'limit', 'refused', { channel: 'oidc', reason: kept.what });
      throw error;
    });
    try {
      await next();
    } finally {
      if (!isAnonymous(ctx, kept)) await takeBack();
    }
  };
}

function isAnonymous({ oidc }: StepContext, { entity }: Kept): boolean {
  if (entity === 'Session') return oidc?.session?.exp !== undefined && oidc.session.accountId === undefined;
  if (oidc?.entities[entity] === undefined) return false;
  return entity === 'Interaction' || oidc.client?.tokenEndpointAuthMethod === 'none';
}
