/**
 * What the engine's own body reader leaves open: it counts a body that is too long as a bad request, and
 * takes a compressed one for garbage. Both are said here in time, with the right status (security.md H3).
 */
import type { Middleware } from 'koa';
import { Refused } from '../identity/refusal.ts';
import { readBody, refuseEncoding } from './input.ts';

/** Bytes; the engine's own limit. */
const LIMIT = 56 * 1024;

export const engineBodies: Middleware = async (ctx, next) => {
  refuseEncoding(ctx.req);
  if (Number(ctx.req.headers['content-length'] ?? 0) > LIMIT) {
    await readBody(ctx.req, { limit: LIMIT });
    throw new Refused('too-large');
  }
  await next();
};
