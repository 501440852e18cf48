/**
 * Gives each request its id, and writes one line when its reply is out. The line has the pattern of the route
 * that answered, never the path that was asked for: tokens, codes and link tokens travel in paths, at addresses
 * that are ours and, by mistake, at others.
 */
import { randomUUID } from 'node:crypto';
import type { IncomingMessage, ServerResponse } from 'node:http';
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

/** A request that is being answered. */
export interface OpenRequest {
  readonly id: string;
  readonly arrivedAt: Date;
  /** Both are read when the reply is out. */
  route: string | (() => string);
  address: string | (() => string);
  /** Why the fast lane has no answer. */
  failure?: { readonly error: unknown };
}

/** Gives a request its id, once; writes its line when its reply is out. */
export type BeginRequest = (req: IncomingMessage, res: ServerResponse) => OpenRequest;

export function createRequestLog(options: {
  log: Log;
  clock: Clock;
  observe?: (request: Observation) => void;
  unfinished: UnfinishedRequests;
}): BeginRequest {
  const { log, clock, observe, unfinished } = options;
  const OPEN = Symbol('open request');
  return (req: IncomingMessage & { [OPEN]?: OpenRequest }, res) => {
    const known = req[OPEN];
    if (known) return known;
    const startedAt = performance.now();
    const open: OpenRequest = {
      id: randomUUID(),
      arrivedAt: clock.now(),
      route: 'other',
      address: '',
    };
    req[OPEN] = open;
    res.on('close', () => {
      const milliseconds = performance.now() - startedAt;
      const status = res.writableFinished ? res.statusCode : 499;
      const { method = '' } = req;
      const route = textOf(open.route);
      const line = {
        requestId: open.id,
        method,
        route,
        status,
        address: textOf(open.address),
        ms: Math.round(milliseconds * 10) / 10,
      };
      if (status === 499 && !req.complete) unfinished.count();
      else if (status >= 500) log.warn(line, 'request');
      else log.info(line, 'request');
      observe?.({ method, route, status, seconds: milliseconds / 1000 });
    });
    return open;
  };
}

const textOf = (text: string | (() => string)) => (typeof text === 'string' ? text : text());

export function requestLog(begin: BeginRequest): Middleware {
  return async (ctx, next) => {
    const open = begin(ctx.req, ctx.res);
    const { id, arrivedAt, failure } = open;
    open.route = () => routeOf(ctx);
    open.address = () => requestInfoOf(ctx).address;
    attachRequestInfo(ctx, { id, arrivedAt, address: '', host: '', ...(failure && { failure }) });
    ctx.set('X-Request-Id', id);
    await next();
    // A body that no route read would otherwise be read to its end on a connection that is kept open.
    if (!ctx.req.complete && !ctx.headerSent) ctx.set('Connection', 'close');
  };
}

/** The routers of the pages note their pattern themselves. */
function routeOf(ctx: Context): string {
  return String(ctx.state.route ?? ctx._matchedRoute ?? 'other');
}
