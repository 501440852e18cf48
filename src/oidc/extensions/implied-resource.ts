/**
 * APIs that a request means without the parameter `resource` (RFC 8707): by `audience`, for clients that cannot
 * send `resource`, or by being the default. Such a client cannot name the API at the token endpoint either, so its
 * code and its refresh token remember that the API was implied, and the client gets the API's token unasked.
 *
 * Replaces nothing in oidc-provider 9.13.3.
 */
import { errors } from 'oidc-provider';
import type { ProviderContext } from '../provider/context.ts';
import { entityOf } from './models.ts';

type OidcContext = ProviderContext['oidc'];

/** At the token endpoint, whose parameters the provider lists by grant type. */
export function takeAudience({ params, body }: Pick<OidcContext, 'params' | 'body'>): void {
  const audience = body?.audience;
  if (params === undefined || audience === undefined || audience === '') return;
  const { resource = audience } = params;
  if (typeof audience !== 'string' || resource !== audience) {
    throw new errors.InvalidRequest('audience and resource must name the same API, once');
  }
  params.resource = audience;
}

/** Whether the request that is answered now had no `resource` of its own: its client sent `audience`, or nothing. */
export function impliesResource({ params }: Pick<OidcContext, 'params'>): boolean {
  return params?.audience !== undefined;
}

/** The same of what a token is made from: a device code keeps its request, others a member that says so. */
export function isImplied(source: object): boolean {
  const { impliedResource, params }: { impliedResource?: boolean; params?: { audience?: unknown } } = source;
  return impliedResource === true || params?.audience !== undefined;
}

/** Of the code or token that this request turns into others. */
export function impliedAtHand(ctx: ProviderContext): boolean {
  const names = ['RotatedRefreshToken', 'AuthorizationCode', 'DeviceCode'] as const;
  const source = names.map((name) => entityOf(ctx, name)).find((record) => record !== undefined);
  return source !== undefined && isImplied(source);
}
