/** What oidc-provider gives to its own grants, and publishes no types of. extensions/sender-constraints.ts calls it. */
declare module 'oidc-provider/lib/helpers/grants.js' {
  import type { X509Certificate } from 'node:crypto';
  import type Provider from 'oidc-provider';
  import type { AccessToken, KoaContextWithOIDC, RefreshToken } from 'oidc-provider';

  interface Proof {
    readonly thumbprint: string;
  }
  type Context = KoaContextWithOIDC;

  export function validateDpop(provider: Provider, ctx: Context): Promise<Proof | undefined>;
  export function checkDpopReplay(
    provider: Provider,
    ctx: Context,
    proof: Proof | undefined,
    clientId: string,
  ): Promise<void>;
  export function checkDpopRequired(provider: Provider, ctx: Context, proof: Proof | undefined): void;
  export function checkMtlsCert(provider: Provider, ctx: Context): X509Certificate | undefined;
  export function applyRefreshTokenBindings(
    provider: Provider,
    ctx: Context,
    access: AccessToken,
    refresh: RefreshToken,
  ): Promise<void>;
}
