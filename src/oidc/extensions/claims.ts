/**
 * Claims that a client gets besides those of the provider's own rule. The provider knows one rule for all clients:
 * an ID token has the claims of `openid` alone where there is a UserInfo endpoint (OIDC Core 5.4), and UserInfo
 * those of the scopes that the configuration names.
 *
 * Replaces in oidc-provider 9.13.3:
 * - Claims.prototype.result 5b32f12dd8bc
 */
import type Provider from 'oidc-provider';
import { BESIDES } from '../clients/claims.ts';
import { override } from './models.ts';

type Claims = Record<string, unknown>;

interface ClaimsModel {
  readonly Claims: {
    readonly prototype: { readonly available: { [BESIDES]?: Claims }; result(): Promise<Claims> };
  };
}

export function showClaimsBesides(provider: Provider): void {
  const { prototype } = (provider as unknown as ClaimsModel).Claims;
  override(prototype, 'result', async (mask, original) => ({
    ...(await original()),
    ...mask.available[BESIDES],
  }));
}
