/** TRACE echoes a request with its cookies; no route answers it (security.md H1). */
import type { Middleware } from 'koa';
import { Refused } from '../../core/refused.ts';

const SERVED = new Set(['GET', 'HEAD', 'POST', 'PUT', 'PATCH', 'DELETE', 'OPTIONS']);

export const servedMethods: Middleware = async (ctx, next) => {
  if (!SERVED.has(ctx.method)) throw new Refused('method-not-allowed', { allow: [...SERVED] });
  await next();
};
