/** Protected resource metadata (RFC 9728): by what an API tells clients who gives out tokens for it. */
import type { ApiRecord } from './api.ts';
import type { Json } from './json.ts';

export const RESOURCE_METADATA = '/.well-known/oauth-protected-resource';

type Api = Pick<ApiRecord, 'identifier' | 'name' | 'scopes'>;

/** Where clients look for it (RFC 9728, 3.1); undefined: the identifier is no web address. */
export function resourceMetadataUrl(identifier: string): string | undefined {
  const url = URL.parse(identifier);
  if (url === null || !['https:', 'http:'].includes(url.protocol)) return undefined;
  const path = url.pathname === '/' ? '' : url.pathname;
  return `${url.origin}${RESOURCE_METADATA}${path}${url.search}`;
}

export function resourceMetadata(api: Api, issuer: string): Record<string, Json> {
  const { identifier, name } = api;
  return {
    resource: identifier,
    authorization_servers: [issuer],
    scopes_supported: scopesToAskFor(api),
    bearer_methods_supported: ['header'],
    ...(typeof name === 'string' && { resource_name: name }),
    ...(name !== undefined && typeof name !== 'string' && namesByLanguage(name)),
  };
}

/**
 * With what the API refuses a request without a token (RFC 9728, 5.1; RFC 6750, 3): the value of WWW-Authenticate.
 * Undefined: the identifier is no web address.
 */
export function challenge(api: Api): string | undefined {
  const url = resourceMetadataUrl(api.identifier);
  return url && `Bearer resource_metadata="${url}", scope="${scopesToAskFor(api).join(' ')}"`;
}

/** Clients ask for all that they read here: where some may be had by clients that no operator registered, those. */
function scopesToAskFor({ scopes }: Api): string[] {
  const all = Object.keys(scopes);
  const open = all.filter((scope) => scopes[scope]?.unregistered === true);
  return open.length > 0 ? open : all;
}

function namesByLanguage(names: Readonly<Record<string, string>>): Record<string, string> {
  const { en = Object.values(names)[0] ?? '', ...others } = names;
  const tagged = Object.entries(others).map(([tag, name]) => [`resource_name#${tag}`, name]);
  return { resource_name: en, ...Object.fromEntries(tagged) };
}
