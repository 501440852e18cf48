/**
 * The routes that keep an unauthenticated request until a person or a client proves who it is. Each counts against
 * its client address first; the count is taken back where nothing was kept, and where the client has
 * authenticated: a confidential client pushes the requests of all its people from one address.
 */
import { Refused } from '../../core/refused.ts';
import type { AnonymousBudgets, AnonymousLimits } from '../../identity/rate-limits/anonymous-budgets.ts';
import type { ProviderMiddleware, StepContext } from '../provider/context.ts';
import { ROUTES } from '../provider/routes.ts';
import type { EventDeps } from './audit-events.ts';

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
export function countAnonymousRequests(
  deps: Pick<EventDeps, 'audit' | 'originOf'> & { strangers: AnonymousBudgets },
): ProviderMiddleware {
  return async (ctx, next) => {
    const kept = KEPT.get(ctx.path);
    if (kept === undefined || ctx.method === 'OPTIONS') return next();
    const origin = deps.originOf(ctx.req);
    const takeBack = await deps.strangers.count(kept.what, origin?.address ?? '').catch((error: unknown) => {
      if (error instanceof Refused) note(deps, kept, origin);
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

function note(
  { audit }: Pick<EventDeps, 'audit'>,
  { what }: Kept,
  origin: ReturnType<EventDeps['originOf']>,
): void {
  audit.write({
    event: 'limit',
    outcome: 'refused',
    ...(origin && { address: origin.address, requestId: origin.id }),
    detail: { channel: 'oidc', reason: what },
  });
}
