import type Provider from 'oidc-provider';
import type { KoaContextWithOIDC } from 'oidc-provider';

export type ProviderContext = KoaContextWithOIDC;

/** A step around the provider's own routes. `ctx.oidc` is there from the route on. */
export type ProviderMiddleware = Parameters<Provider['use']>[0];

export type StepContext = Parameters<ProviderMiddleware>[0];

/** 'token', 'introspection', ...; undefined outside the provider's routes. */
export function routeOf(ctx: ProviderContext | undefined): string | undefined {
  return ctx?.oidc?.route;
}
