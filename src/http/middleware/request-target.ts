/**
 * Which host and path a request means, decided before any handler. Refused: a Host that is no host
 * (`evil.com:x@good.com` fooled URL parsers, CVE-2026-27959), two Host fields, and an absolute request
 * target that names another host than its Host field. The absolute form itself is legal (RFC 9112 3.2.2)
 * and becomes the path. Links and the issuer never come from here but from the configuration.
 */
import type { IncomingMessage } from 'node:http';
import type { Middleware } from 'koa';
import { Refused } from '../../core/refused.ts';

const HOST = /^(?:[a-z0-9](?:[a-z0-9_.-]{0,252}[a-z0-9.])?|\[[0-9a-f:.]{2,45}\])(?::\d{1,5})?$/i;

/** Koa reads a query in the square of its names: 7,000 would hold every other request up for a second. */
const QUERY_NAMES = 250;

export const requestTarget: Middleware = (ctx, next) => {
  const { req } = ctx;
  const host = req.headers.host;
  if (!isHostPlain(req)) {
    throw new Refused('unreadable-body', { detail: 'the Host field is not a host name' });
  }
  const url = req.url ?? '';
  if (!url.startsWith('/')) {
    const target = URL.parse(url);
    if (target === null || !/^https?:$/.test(target.protocol) || target.host !== (host ?? '').toLowerCase()) {
      throw new Refused('unreadable-body', { detail: 'the request target is not a path of this host' });
    }
    req.url = target.pathname + target.search;
  }
  if (ctx.querystring.split('&', QUERY_NAMES + 1).length > QUERY_NAMES) {
    // The page that says so must not read it either.
    req.url = ctx.path;
    throw new Refused('unreadable-body', { detail: 'the query has too many names' });
  }
  return next();
};

/** One host name, or none (HTTP/1.0). */
export function isHostPlain({ headers: { host }, rawHeaders }: IncomingMessage): boolean {
  return hostFields(rawHeaders) <= 1 && (host === undefined || HOST.test(host));
}

function hostFields(rawHeaders: readonly string[]): number {
  let fields = 0;
  for (let i = 0; i < rawHeaders.length; i += 2) {
    const name = rawHeaders[i];
    if (name?.length === 4 && name.toLowerCase() === 'host') fields += 1;
  }
  return fields;
}

/** Host without port, lower case, without the dot that a fully qualified name may end in. */
export function hostName(host: string): string {
  return host
    .toLowerCase()
    .replace(/:\d{1,5}$/, '')
    .replace(/\.$/, '');
}
