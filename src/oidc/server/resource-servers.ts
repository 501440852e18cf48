/** Resource servers (RFC 8707): APIs that clients may ask access tokens for, as the configuration lists them. */
import { type Client, errors, type ResourceServer } from 'oidc-provider';
import type { Config } from '../../config/schema.ts';
import { traitsOf } from '../clients/clients.ts';
import type { ProviderContext } from '../provider/context.ts';

export function createResourceLookup({ oidc }: Pick<Config, 'oidc'>) {
  return function getResourceServerInfo(
    _ctx: ProviderContext,
    identifier: string,
    client: Client,
  ): ResourceServer {
    const result = oidc.resources.find((resource) => resource.identifier === identifier);
    const foreign =
      result?.organization !== undefined && result.organization !== traitsOf(client).organization;
    if (!result || foreign) throw new errors.InvalidTarget('no such resource server');
    return {
      scope: result.scopes.join(' '),
      audience: result.identifier,
      accessTokenFormat: result.format,
      accessTokenTTL: result.lifetime ?? oidc.lifetimes.accessToken,
      ...(result.format === 'jwt' && { jwt: { sign: { alg: 'ES256' } } }),
    } as ResourceServer;
  };
}
