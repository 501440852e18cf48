/** Resource servers (RFC 8707): APIs that clients may ask access tokens for, as the configuration lists them. */
import { type Client, errors, type ResourceServer } from 'oidc-provider';
import type { Config } from '../../config/schema.ts';
import { traitsOf } from '../clients/clients.ts';
import type { EngineContext } from '../provider/context.ts';

export function createResourceLookup({ oidc }: Pick<Config, 'oidc'>) {
  return function getResourceServerInfo(
    _ctx: EngineContext,
    identifier: string,
    client: Client,
  ): ResourceServer {
    const found = oidc.resources.find((resource) => resource.identifier === identifier);
    const foreign = found?.organization !== undefined && found.organization !== traitsOf(client).organization;
    if (!found || foreign) throw new errors.InvalidTarget('no such resource server');
    return {
      scope: found.scopes.join(' '),
      audience: found.identifier,
      accessTokenFormat: found.format,
      accessTokenTTL: found.lifetime ?? oidc.lifetimes.accessToken,
      ...(found.format === 'jwt' && { jwt: { sign: { alg: 'ES256' } } }),
    } as ResourceServer;
  };
}
