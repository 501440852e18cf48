/**
 * Claims that a client gets besides those of the provider's own rule. The provider knows one rule for all clients:
 * an ID token has the claims of `openid` alone where there is a UserInfo endpoint (OIDC Core 5.4), and UserInfo
 * those of the scopes that the configuration names.
 *
 * Replaces in oidc-provider 9.13.3:
 * - Claims.prototype.result 5b32f12dd8bc
 */
import type Provider from 'oidc-provider';
import type { Account, Client, Grant } from 'oidc-provider';
import { provenAmr } from '../../model/amr.ts';
import { textsOf } from '../../model/json.ts';
import { BESIDES, type Claims } from '../clients/claims.ts';
import { override } from './models.ts';

interface ClaimsMask {
  readonly available: { [BESIDES]?: Claims };
  scope(scope: string): void;
  rejected(claims: readonly string[]): void;
  result(): Promise<Claims>;
}

interface ClaimsModel {
  readonly Claims: { readonly prototype: ClaimsMask } & (new (
    available: Claims,
    asker: { client: Client },
  ) => ClaimsMask);
}

export function showClaimsBesides(provider: Provider): void {
  const { prototype } = (provider as unknown as ClaimsModel).Claims;
  override(prototype, 'result', async (mask, original) => ({
    ...onlyProven(await original()),
    ...mask.available[BESIDES],
  }));
}

/** Clients read proofs alone: a remembered browser is none, and neither is an app password. */
function onlyProven({ amr, ...claims }: Claims): Claims {
  return amr === undefined ? claims : { ...claims, amr: provenAmr(textsOf(amr)) };
}

/** What UserInfo says where the client asked by scope alone. */
export async function claimsOfScope(
  provider: Provider,
  { account, client, grant, scope }: { account: Account; client: Client; grant: Grant; scope: string },
): Promise<Claims> {
  const rejected = grant.getRejectedOIDCClaims();
  const available = await account.claims('userinfo', scope, {}, rejected);
  const { Claims } = provider as unknown as ClaimsModel;
  const mask = new Claims({ ...available, sub: account.accountId }, { client });
  mask.scope(scope);
  mask.rejected(rejected);
  return mask.result();
}
