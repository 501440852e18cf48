/**
 * The routes at which a request of nobody's is kept until somebody proves who they are. Each counts against its
 * client address first; the count is taken back where nothing was kept, and where the client has proven itself:
 * a confidential one pushes the requests of all its people from one address.
 */
import { Refused } from '../../core/refused.ts';
import type { StrangerLimits, Strangers } from '../../identity/rate-limits/anonymous-budgets.ts';
import type { ProviderContext, ProviderMiddleware } from '../provider/context.ts';
import { ROUTES } from '../provider/routes.ts';
import type { EventDeps } from './audit-events.ts';

interface Kept {
  readonly what: keyof StrangerLimits;
  readonly entity: 'Interaction' | 'PushedAuthorizationRequest' | 'DeviceCode' | 'Session';
}

const KEPT: ReadonlyMap<string, Kept> = new Map([
  [ROUTES.authorization, { what: 'signIns', entity: 'Interaction' }],
  [ROUTES.pushed_authorization_request, { what: 'pushedRequests', entity: 'PushedAuthorizationRequest' }],
  [ROUTES.device_authorization, { what: 'deviceCodes', entity: 'DeviceCode' }],
  // The form's secret lies in a session, of nobody's where the browser is not signed in.
  [ROUTES.code_verification, { what: 'signIns', entity: 'Session' }],
]);

/** Throws Refused('too-many-requests'). */
export function countAnonymousRequests(
  deps: Pick<EventDeps, 'audit' | 'originOf'> & { strangers: Strangers },
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
      if (!isStrangers(ctx as ProviderContext, kept)) await takeBack();
    }
  };
}

function isStrangers({ oidc }: ProviderContext, { entity }: Kept): boolean {
  if (entity === 'Session') {
    const session = oidc?.session as { accountId?: string; exp?: number } | undefined;
    return session?.exp !== undefined && session.accountId === undefined;
  }
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
