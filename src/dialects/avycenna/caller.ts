/** Who calls, and what an API key is worth: what its scopes and its owner's present role both allow. */

import { type Credential, Refused } from '../contract/dialect.ts';
import type { AccountCaller, Endpoint, RequestView } from '../contract/endpoint.ts';
import type { Scope } from './fields.ts';
import { roleOf } from './serializers.ts';
import type { AvycennaSettings } from './settings.ts';

/**
 * A Bearer token alone decides, good or bad; any other scheme, or an empty Bearer, counts as no
 * Authorization. Where an endpoint takes no key, a key is not looked at.
 */
export function credential(request: RequestView, endpoint: Endpoint): Credential | undefined {
  const token = /^bearer +(\S.*)$/i.exec(request.header('authorization') ?? '')?.[1]?.trim();
  if (token !== undefined) return { kind: 'token', token };
  const key = request.header('x-api-key');
  if (key === undefined || key === '' || endpoint.caller === 'token') return undefined;
  return /^avk_[0-9a-f]{64}$/.test(key) ? { kind: 'api-key', key } : { kind: 'unusable', as: 'api-key' };
}

export function worth(caller: AccountCaller, settings: AvycennaSettings): readonly string[] {
  const isAdmin = roleOf(caller.account, settings) === 'admin';
  return caller.scopes.filter((scope) => scope !== 'admin' || isAdmin);
}

/** A Bearer may do everything here; a key needs one of these scopes. */
export function withScope(...input: Scope[]) {
  return ({ caller, settings }: { caller: AccountCaller; settings: AvycennaSettings }): void => {
    if (caller.kind === 'token') return;
    const has = worth(caller, settings);
    if (!input.some((scope) => has.includes(scope))) throw new Refused('insufficient-scope');
  };
}
