/** Discovery and the JWKS, which change only with the keys: what the provider answered once is kept in bytes. */
import { createHash } from 'node:crypto';
import type { FastAnswer, FastRoute } from '../fast-path-contract.ts';
import type { ProviderMiddleware } from '../provider/context.ts';
import { ROUTES } from '../provider/routes.ts';

/** Seconds. Keys are published long before they sign (`keys.overlap`), so a minute-old copy misses none. */
const KEPT_FOR: Readonly<Record<string, number>> = {
  [ROUTES.jwks]: 60,
  '/.well-known/openid-configuration': 300,
  '/.well-known/oauth-authorization-server': 300,
};

/** Of one build of the provider. */
export type Documents = ReturnType<typeof createDocuments>;

export function createDocuments() {
  const kept = new Map<string, FastAnswer>();
  return {
    paths: Object.keys(KEPT_FOR),
    find: (path: string) => kept.get(path),
    keep: (path: string, document: FastAnswer) => kept.set(path, document),
  };
}

/** Every relying party reads these again and again, and they hold no secret. */
export function publicDocuments(documents: Documents): ProviderMiddleware {
  return async (ctx, next) => {
    await next();
    const seconds = KEPT_FOR[ctx.path];
    if (seconds === undefined || ctx.status !== 200) return;
    const caching = `public, max-age=${seconds}`;
    // Node sends a text together with the head, and a Buffer as a piece of its own.
    const body = JSON.stringify(ctx.body);
    const etag = `"${createHash('sha256').update(body).digest('base64url').slice(0, 16)}"`;
    ctx.set('Cache-Control', caching);
    ctx.set('ETag', etag);
    const headers = [
      ...['Vary', 'Origin', 'Access-Control-Allow-Origin', '*'],
      ...['Content-Type', ctx.response.get('Content-Type'), 'ETag', etag],
    ];
    documents.keep(ctx.path, { headers, caching, body });
    if (ctx.fresh) ctx.status = 304;
  };
}

export function documentRoute(path: string, documents: Documents): FastRoute {
  return { pattern: path, takes: 'nothing', answer: () => documents.find(path) };
}
