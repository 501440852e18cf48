/**
 * The proof of possession that a request to the token endpoint carries, for a grant of ours: a DPoP proof (RFC 9449)
 * or a client certificate (RFC 8705). The provider hands these functions to its own grants only.
 *
 * Replaces nothing in oidc-provider 9.13.3, and calls:
 * - grants.validateDpop ad8bd399c171
 * - grants.checkDpopReplay c2c4f632ae40
 * - grants.checkDpopRequired 20151069543e
 * - grants.checkMtlsCert c2bb2cb82189
 * - grants.applyRefreshTokenBindings dadd1a348ce1
 */
import type Provider from 'oidc-provider';
import type { AccessToken, RefreshToken } from 'oidc-provider';
import * as grants from 'oidc-provider/lib/helpers/grants.js';
import type { ProviderContext } from '../provider/context.ts';

export interface Possession {
  /** Thumbprint of the key of the DPoP proof. */
  readonly jkt: string | undefined;
  /** The token that is made belongs to the key or the certificate. */
  bind(token: AccessToken): void;
  bindRefresh(access: AccessToken, refresh: RefreshToken): Promise<void>;
}

/** Judges what the request carries as the provider's grants do, with their errors. */
export async function possessionOf(provider: Provider, ctx: ProviderContext): Promise<Possession> {
  const proof = await grants.validateDpop(provider, ctx);
  grants.checkDpopRequired(provider, ctx, proof);
  const certificate = grants.checkMtlsCert(provider, ctx);
  await grants.checkDpopReplay(provider, ctx, proof, String(ctx.oidc.client?.clientId));
  return {
    jkt: proof?.thumbprint,
    bind(token) {
      if (certificate !== undefined) token.setThumbprint('x5t', certificate);
      if (proof !== undefined) token.setThumbprint('jkt', proof.thumbprint);
    },
    bindRefresh: (access, refresh) => grants.applyRefreshTokenBindings(provider, ctx, access, refresh),
  };
}
