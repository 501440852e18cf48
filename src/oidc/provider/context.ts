import type Provider from 'oidc-provider';
import type { KoaContextWithOIDC } from 'oidc-provider';

export type EngineContext = KoaContextWithOIDC;

/** A step around the engine's own routes. `ctx.oidc` is there from the route on. */
export type EngineStep = Parameters<Provider['use']>[0];

export type StepContext = Parameters<EngineStep>[0];

/** 'token', 'introspection', ...; undefined outside the engine's routes. */
export function routeOf(ctx: EngineContext | undefined): string | undefined {
  return ctx?.oidc?.route;
}
