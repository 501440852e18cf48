/**
 * What the provider's own body reader leaves open: it counts a body that is too long as a bad request, and
 * takes a compressed one for garbage. Both are said here in time, with the right status. An
 * authorization request is measured here too, before anything looks at it or keeps it.
 */
import type { IncomingMessage } from 'node:http';
import type { Context, Middleware } from 'koa';
import { handBack } from '../../core/hand-back.ts';
import { Refused } from '../../core/refused.ts';
import type { OidcServer, RequestBounds } from '../../oidc/contract.ts';
import { readBody, refuseEncoding } from '../request/read-body.ts';

/** Bytes; the provider's own limit. */
const LIMIT = 56 * 1024;

export function providerBodies(oidc: Pick<OidcServer, 'bounds'>): Middleware {
  return async (ctx, next) => {
    const { req } = ctx;
    refuseEncoding(req);
    const bounds = oidc.bounds(ctx.path);
    if (bounds !== undefined) await refuseLong(ctx, bounds);
    else await readInTime(req);
    await next();
  };
}

/** Refused('too-large'). */
async function refuseLong({ req, method, querystring }: Context, bounds: RequestBounds): Promise<void> {
  let text = querystring;
  if (method === 'POST') {
    const bytes = await readBody(req, { limit: bounds.whole });
    handBack(req, bytes);
    text = bytes.toString();
  }
  if (text.length > bounds.whole)
    throw new Refused('too-large', { detail: `a request of more than ${bounds.whole} bytes` });
  for (const [name, value] of new URLSearchParams(text)) {
    const most = Object.hasOwn(bounds.parameters, name) ? bounds.parameters[name] : undefined;
    if (most !== undefined && Buffer.byteLength(value) > most)
      throw new Refused('too-large', { detail: `${name} has more than ${most} bytes` });
  }
}

async function readInTime(req: IncomingMessage): Promise<void> {
  const length = req.headers['content-length'];
  if (length !== undefined && Number(length) > LIMIT) {
    await readBody(req, { limit: LIMIT });
    throw new Refused('too-large');
  }
  // A chunked body has no declared length: it is read here and handed on as if unread.
  if (req.headers['transfer-encoding'] !== undefined) {
    handBack(req, await readBody(req, { limit: LIMIT }));
  }
}
