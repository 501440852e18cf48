/**
 * Gives each request its id, and writes one line when its reply is out. The line has the pattern of the route
 * that answered, never the path that was asked for: tokens, codes and link tokens travel in paths, at addresses
 * that are ours and, by mistake, at others.
 */
import { randomUUID } from 'node:crypto';
import type { Context, Middleware } from 'koa';
import type { Clock } from '../../core/clock.ts';
import type { Log } from '../../observe/log.ts';
import { attachRequestInfo, requestInfoOf } from '../request/request-context.ts';
import type { UnfinishedRequests } from './unfinished-requests.ts';

export interface Observation {
  readonly method: string;
  /** The pattern that answered, never the path that was asked for; 'other' where none did. */
  readonly route: string;
  /** Below 600; 499 when the client went away first. */
  readonly status: number;
  readonly seconds: number;
}

export function requestLog(options: {
  log: Log;
  clock: Clock;
  observe?: (request: Observation) => void;
  unfinished: UnfinishedRequests;
}): Middleware {
  return async (ctx, next) => {
    const id = randomUUID();
    const startedAt = performance.now();
    attachRequestInfo(ctx, { id, address: '', host: '', arrivedAt: options.clock.now() });
    ctx.set('X-Request-Id', id);
    ctx.res.once('close', () => {
      const milliseconds = performance.now() - startedAt;
      const status = ctx.res.writableFinished ? ctx.res.statusCode : 499;
      const line = {
        requestId: id,
        method: ctx.method,
        route: routeOf(ctx),
        status,
        address: requestInfoOf(ctx).address,
        ms: Math.round(milliseconds * 10) / 10,
      };
      if (status === 499 && !ctx.req.complete) options.unfinished.count();
      else if (status >= 500) options.log.warn(line, 'request');
      else options.log.info(line, 'request');
      options.observe?.({
        method: ctx.method,
        route: line.route,
        status,
        seconds: milliseconds / 1000,
      });
    });
    await next();
    // A body that no route read would otherwise be read to its end on a connection that is kept open.
    if (!ctx.req.complete && !ctx.headerSent) ctx.set('Connection', 'close');
  };
}

/** The routers of the pages note their pattern themselves. */
function routeOf(ctx: Context): string {
  return String(ctx.state.route ?? ctx._matchedRoute ?? 'other');
}
