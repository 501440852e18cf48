import type { IncomingMessage } from 'node:http';
import type Provider from 'oidc-provider';
import type { KoaContextWithOIDC } from 'oidc-provider';
import type { AuditEntry, AuditEvent } from '../../model/audit-event.ts';
import type { Json } from '../../model/json.ts';

export type ProviderContext = KoaContextWithOIDC;

/** A request that may be outside the provider's routes: `oidc` is there from the route on. */
export type StepContext = Parameters<Parameters<Provider['use']>[0]>[0] & {
  readonly oidc?: ProviderContext['oidc'];
};

/** What the server knows of a request. */
export interface RequestOrigin {
  readonly id: string;
  /** Canonical client address. */
  readonly address: string;
  /** Why the fast path has no answer. */
  readonly failure?: { readonly error: unknown };
}

/** A step around the provider's own routes. */
export type ProviderMiddleware = (ctx: StepContext, next: () => Promise<void>) => Promise<void>;

/** A request to the token endpoint, as far as it is known: in the provider, or on the fast path. */
export interface TokenRequest {
  readonly oidc: Pick<
    ProviderContext['oidc'],
    'route' | 'client' | 'params' | 'account' | 'entities' | 'requestParamScopes'
  >;
}

/** Writes an audit event about a request. */
export type AuditLine = (
  ctx: {
    readonly req: IncomingMessage;
    readonly oidc?: Partial<
      Pick<ProviderContext['oidc'], 'client' | 'session' | 'account' | 'entities' | 'params'>
    >;
  },
  event: AuditEvent,
  outcome: AuditEntry['outcome'],
  detail?: Record<string, Json>,
) => void;

/** 'token', 'introspection', ...; undefined outside the provider's routes. */
export function routeOf(ctx: { readonly oidc?: { readonly route: string } } | undefined): string | undefined {
  return ctx?.oidc?.route;
}

export function isOnRoute(ctx: StepContext, route: string): ctx is ProviderContext {
  return ctx.oidc?.route === route;
}
