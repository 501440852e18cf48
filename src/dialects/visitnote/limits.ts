/**
 * VisitNote limits requests, good and bad alike: ten a minute on the auth tier for one client address,
 * sixty a minute for one account elsewhere, and the same sixty for a client address that shows no live
 * token. Windows begin with their first counted request.
 */
import type { LimitContext, LimitRule } from '../contract/limits.ts';
import type { VisitNoteSettings } from './settings.ts';

const MINUTE = { window: 60, kind: 'fixed', charge: 'each' } as const;

export function authTier({ request, settings }: LimitContext<VisitNoteSettings>): LimitRule[] {
  return [{ counter: 'auth', key: request.address, limit: settings.limits.auth, ...MINUTE }];
}

export function generalTier({ caller, settings }: LimitContext<VisitNoteSettings>): LimitRule[] {
  return [{ counter: 'general', key: caller?.account?.id ?? '', limit: settings.limits.general, ...MINUTE }];
}

/**
 * A bearer endpoint without a live token, /delete-account included. A live token of another panel (403) is
 * charged like any other caller.
 */
export function strangers(context: LimitContext<VisitNoteSettings>): readonly LimitRule[] {
  const { request, settings, caller, endpoint } = context;
  if (caller !== undefined) return endpoint.limits?.(context) ?? [];
  return [{ counter: 'no-token', key: request.address, limit: settings.limits.general, ...MINUTE }];
}
