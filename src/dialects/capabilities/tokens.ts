/** What a dialect's tokens are made of, and how they look to its endpoints. */

import { randomText } from '../../core/crypto.ts';
import type { AccessInput, IssuedGrant, RefreshInput } from '../../oidc/contract.ts';
import type { AccountView } from '../contract/endpoint.ts';
import type { IssuedTokens } from '../contract/tokens.ts';
import type { Bound } from './scope.ts';

/** `lifetime`: seconds, instead of the dialect's. */
export function accessInput(bound: Bound, account: AccountView, lifetime?: number): AccessInput {
  const { dialect, settings } = bound.mounted;
  const { tokens } = dialect;
  const sharedSecret = tokens.sharedSecret?.(settings);
  return {
    value: tokens.access === 'jwt' ? 'jwt' : randomText(tokens.access),
    lifetime: lifetime ?? tokens.accessLifetime(settings),
    audience: tokens.audience(settings, bound.services.issuer),
    claims: tokens.claims({ account, organization: bound.organization(), settings }),
    ...(sharedSecret === undefined ? {} : { sharedSecret }),
  };
}

/** Undefined: this dialect has no refresh tokens. */
export function refreshInput(bound: Bound): RefreshInput | undefined {
  const { dialect, settings } = bound.mounted;
  const { refresh } = dialect.tokens;
  return refresh && { value: randomText(refresh.form), lifetime: refresh.lifetime(settings) };
}

/** Epoch seconds after which no successor of this sign-in's refresh token lives. */
export function lineEnd(bound: Bound): number | undefined {
  const { dialect, settings } = bound.mounted;
  const seconds = dialect.tokens.refresh?.absoluteLifetime?.(settings);
  if (seconds === undefined) return undefined;
  return Math.floor(bound.services.clock.now().getTime() / 1000) + seconds;
}

export function issuedTokens(grant: IssuedGrant): IssuedTokens {
  return grant.refresh === undefined
    ? { access: grant.access }
    : { access: grant.access, refresh: grant.refresh };
}
