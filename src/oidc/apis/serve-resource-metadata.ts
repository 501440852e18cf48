/**
 * The metadata of APIs whose identifier begins with the issuer (RFC 9728): the API lies behind the server's own host,
 * so that its metadata are asked for here. Other APIs serve theirs by themselves (`portico api metadata`).
 */
import { RESOURCE_METADATA, resourceMetadata } from '../../model/resource-metadata.ts';
import type { ProviderMiddleware } from '../provider/context.ts';
import type { ApiRegistry } from './apis.ts';

/** Seconds. */
const KEPT_FOR = 300;

export function serveResourceMetadata({
  apis,
  issuer,
}: {
  apis: Pick<ApiRegistry, 'find'>;
  issuer: string;
}): ProviderMiddleware {
  return async (ctx, next) => {
    if (ctx.path !== RESOURCE_METADATA && !ctx.path.startsWith(`${RESOURCE_METADATA}/`)) return next();
    // Clients in browsers read it from anywhere, as the discovery documents.
    ctx.set('Access-Control-Allow-Origin', '*');
    if (ctx.method === 'OPTIONS') {
      ctx.set('Access-Control-Allow-Methods', 'GET');
      ctx.set('Access-Control-Allow-Headers', ctx.get('Access-Control-Request-Headers'));
      ctx.status = 204;
      return;
    }
    const api = await apis.find(issuer + ctx.path.slice(RESOURCE_METADATA.length) + ctx.search);
    if (api === undefined) {
      ctx.status = 404;
      ctx.body = { error: 'not_found', error_description: 'there is no API with this identifier here' };
      return;
    }
    ctx.set('Cache-Control', `public, max-age=${KEPT_FOR}`);
    ctx.body = resourceMetadata(api, issuer);
  };
}
