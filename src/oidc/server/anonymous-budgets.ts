/**
 * The routes that keep an unauthenticated request until a person or a client proves who it is. Each counts against
 * its client address first; the count is taken back where nothing was kept, and where the client has
 * authenticated: a confidential client pushes the requests of all its people from one address. A client that no
 * operator knows proves nothing by authenticating, since anyone may have made it.
 */
import { type Client, errors } from 'oidc-provider';
import { Refused } from '../../core/refused.ts';
import type { AnonymousLimits } from '../../identity/rate-limits/anonymous-budgets.ts';
import { isUnknownToOperators, traitsOf } from '../clients/clients.ts';
import type { ProviderContext, ProviderMiddleware, StepContext } from '../provider/context.ts';
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
    const { address = '', failure } = originOf(ctx.req) ?? {};
    // What failed on the fast path fails again at the first look-up, before anything is stored.
    if (kept === undefined || ctx.method === 'OPTIONS' || failure !== undefined) return next();
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
  if (entity === 'Interaction' || oidc.client === undefined) return true;
  return oidc.client.tokenEndpointAuthMethod === 'none' || isUnknownToOperators(traitsOf(oidc.client));
}

/** Seconds. */
const LONGEST_ASSERTION = 3600;

/** The server keeps every used assertion until it ends. Part of assertJwtClientAuthClaimsAndHeader. */
export function countAssertions({ strangers, originOf, line, clock }: ProviderDeps) {
  return async (ctx: ProviderContext, { exp }: Readonly<Record<string, unknown>>, client: Client) => {
    if (!isUnknownToOperators(traitsOf(client))) return;
    if (Number(exp) > clock.now().getTime() / 1000 + LONGEST_ASSERTION) {
      throw new errors.InvalidClientAuth('exp must be within an hour');
    }
    await strangers.count('pushedRequests', originOf(ctx.req)?.address ?? '').catch((error: unknown) => {
      if (!(error instanceof Refused)) throw error;
      line(ctx, 'limit', 'refused', { channel: 'oidc', reason: 'pushedRequests' });
      const later = new errors.CustomOIDCProviderError(
        'temporarily_unavailable',
        'too many client assertions',
      );
      throw Object.assign(later, { status: 429, statusCode: 429 });
    });
  };
}
