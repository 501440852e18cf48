/**
 * The refresh grant of /token on top of refresh-rotation.ts. The provider runs all its own checks first for
 * every request (client authentication, DPoP proof, scope, account), the losers of a race included; at the
 * point where it would mark the token used, the request takes the lease or shares another request's result.
 *
 * Replaces in oidc-provider 9.13.3:
 * - RefreshToken.find 7774e9bf19c4
 * - RefreshToken.prototype.consume 2a8be012b55f
 * - RefreshToken.prototype.save ef4835828696
 */
import { calculateJwkThumbprint, decodeProtectedHeader } from 'jose';
import Provider, { errors } from 'oidc-provider';
import { StoreUnavailable } from '../../core/errors.ts';
import { traitsOf } from '../clients/clients.ts';
import type { OidcRecords } from '../persistence/records.ts';
import { isOnRoute, type ProviderContext, type ProviderMiddleware, routeOf } from '../provider/context.ts';
import { type Rotations, within } from '../tokens/refresh-rotation.ts';
import type { LeasedDeps } from './device-codes.ts';
import { impliedAtHand } from './implied-resource.ts';
import { familyAtHand } from './jwt-access-token.ts';
import { entityOf, modelOf, override, type ProviderRecord } from './models.ts';
import { notesOf } from './request-notes.ts';

export interface RefreshDeps extends LeasedDeps {
  readonly rotations: Rotations;
  readonly oidcRecords: OidcRecords;
  /** Seconds. */
  readonly leeway: number;
}

/** What the holder of the lease leaves for the others. */
interface Shared {
  readonly request: string;
  readonly reply: Record<string, unknown>;
}

export function rotateRefreshTokens(deps: RefreshDeps): void {
  const { provider, rotations, secrets, clock, leeway } = deps;
  const model = modelOf(provider, 'RefreshToken');

  override(model, 'find', async (_model, original, value, options) => {
    const token = await original(value, options);
    const ctx = Provider.ctx;
    if (token?.consumed === undefined || !ctx || routeOf(ctx) !== 'token') return token;
    if (within(token.consumed, { clock, leeway })) {
      notesOf(ctx).retried = true;
      delete token.consumed;
    }
    return token;
  });
  override(model.prototype, 'consume', (token) => useOnce(token, rotations));
  override(model.prototype, 'save', async (token, original) => {
    const ctx = Provider.ctx;
    token.family ??= familyAtHand(ctx, secrets);
    if (ctx && routeOf(ctx) === 'token' && impliedAtHand(ctx)) token.impliedResource = true;
    const successor = ctx && routeOf(ctx) === 'token' ? notesOf(ctx).successor : undefined;
    if (successor === undefined) return original();
    token.jti = successor;
    return successor;
  });
}

/** Whether the presented token gets a successor. A retry belongs to a use that has one already. */
export function isUsedOnce(ctx: ProviderContext): boolean {
  const { client } = ctx.oidc;
  return client === undefined || traitsOf(client).rotatesRefreshTokens || notesOf(ctx).retried === true;
}

/** Takes the lease, or shares what the request that has it answered. */
async function useOnce(token: ProviderRecord, rotations: Rotations): Promise<void> {
  const ctx = Provider.ctx;
  if (!ctx) throw new Error('Refresh tokens are used at the token endpoint only.');
  const notes = notesOf(ctx);
  notes.refreshToken = String(token.jti);
  const entered = await rotations.enter(notes.refreshToken, { used: notes.retried === true });
  if (entered === 'spent') throw new errors.InvalidGrant('refresh token already used');
  if ('lease' in entered) {
    notes.lease = entered.lease;
    return;
  }
  const shared: Shared = JSON.parse(entered.completed.reply);
  if (shared.request === alike(await requestOf(ctx))) {
    notes.replay = shared.reply;
    // Leaves the provider's handler; the reply is put in place of the error below.
    throw new errors.InvalidGrant('replayed');
  }
  notes.successor = String(shared.reply.refresh_token);
}

/** Stands before the provider's own routes. */
export function refreshLeases({ provider, oidcRecords, leeway }: RefreshDeps): ProviderMiddleware {
  return async (ctx, next) => {
    if (ctx.method !== 'POST' || ctx.path !== provider.pathFor('token')) return next();
    await next();
    if (!isOnRoute(ctx, 'token')) return;
    const { replay, lease, successor, refreshToken } = notesOf(ctx);
    if (replay) {
      ctx.status = 200;
      ctx.type = 'json';
      ctx.body = replay;
    } else if (lease && ctx.status !== 200) {
      await lease.release();
    } else if (lease) {
      const shared = sharedReply({ request: await requestOf(ctx), reply: ctx.body });
      const outcome = await lease.complete(shared, leeway);
      if (outcome !== 'completed') await takeBack(ctx);
      if (outcome === 'late')
        throw new StoreUnavailable('leases', { cause: new Error('The lease ran out.') });
    } else if (ctx.status === 200 && ctx.oidc.params?.grant_type === 'refresh_token') {
      // Another request made the successor, or the client's refresh tokens are not used up.
      const used = successor === undefined ? entityOf(ctx, 'RefreshToken')?.jti : refreshToken;
      const revoked = !(await oidcRecords.load('RefreshToken', String(used)));
      if (revoked) await takeBack(ctx);
    }
  };
}

/** The sign-in was revoked while its successor was made. */
async function takeBack(ctx: ProviderContext): Promise<void> {
  const { AccessToken, RefreshToken } = ctx.oidc.entities;
  await Promise.all([AccessToken?.destroy(), RefreshToken?.destroy()]);
  ctx.status = 400;
  ctx.body = { error: 'invalid_grant', error_description: 'grant request is invalid' };
}

/** Requests that are alike in this may have the very same reply; others get an access token of their own. */
interface Alike {
  readonly scope?: unknown;
  readonly resource?: unknown;
  /** Thumbprint of the DPoP key. */
  readonly key?: string | null;
}

function alike({ scope, resource, key }: Alike): string {
  return JSON.stringify([scope ?? null, resource ?? null, key ?? null]);
}

async function requestOf(ctx: ProviderContext): Promise<Alike> {
  const { scope, resource } = ctx.oidc.params ?? {};
  return { scope, resource, key: await proofKey(ctx) };
}

/** What the holder of the lease leaves for the others. */
export function sharedReply({ request, reply }: { request: Alike; reply: unknown }): string {
  return JSON.stringify({ request: alike(request), reply } satisfies Record<keyof Shared, unknown>);
}

/** Thumbprint of the DPoP key, which the provider has verified. */
async function proofKey(ctx: ProviderContext): Promise<string | null> {
  const proof = ctx.get('DPoP');
  if (!proof) return null;
  const { jwk } = decodeProtectedHeader(proof);
  return jwk ? calculateJwkThumbprint(jwk) : null;
}
