/**
 * What the provider believes about a request. It would build its endpoint URLs and judge "is this https"
 * from the Host header and the socket; both are the issuer's business (security.md H2), so a forged Host
 * changes nothing, and a TLS-terminating proxy needs no forwarded headers for cookies to be Secure.
 */
import type Provider from 'oidc-provider';
import { type Client, errors } from 'oidc-provider';
import { traitsOf } from '../clients/clients.ts';
import { lookUpForm } from '../tokens/token-handle.ts';

/** Routes on which a dialect's client has no business. */
const CLOSED_TO_DIALECTS: ReadonlySet<string> = new Set([
  'authorization',
  'resume',
  'token',
  'introspection',
  'revocation',
  'pushed_authorization_request',
  'device_authorization',
]);

export function seeAsIssuer(provider: Provider): void {
  const { protocol, host } = new URL(provider.issuer);
  Object.defineProperties(provider.request, {
    protocol: { get: () => protocol.slice(0, -1) },
    host: { get: () => host },
  });
}

interface OidcContext {
  readonly route: string;
  params?: Record<string, unknown>;
  urlFor(name: string, options?: Record<string, unknown>): string;
  entity(key: string, value: unknown): void;
}

export function watchProviderContext(provider: Provider): void {
  const prototype = (provider as unknown as { OIDCContext: { prototype: OidcContext } }).OIDCContext
    .prototype;
  prototype.urlFor = (name, options) => new URL(provider.pathFor(name, options), provider.issuer).href;

  const entity = prototype.entity;
  prototype.entity = function watchedEntity(this: OidcContext, key, value) {
    if (key === 'Client' && value) {
      if (CLOSED_TO_DIALECTS.has(this.route) && traitsOf(value as Client).dialect !== undefined) {
        throw new errors.InvalidClient('client is invalid', 'the client of a dialect');
      }
      // The provider refuses JWTs at these two before it looks; ours have a record to be found by.
      if ((this.route === 'introspection' || this.route === 'revocation') && this.params) {
        this.params.token = lookUpForm(this.params.token);
      }
    }
    entity.call(this, key, value);
  };
}
