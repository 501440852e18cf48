/** What the first middleware learn about a request, for all that come after. */
import type { IncomingMessage, ServerResponse } from 'node:http';
import type { Context } from 'koa';

export interface RequestInfo {
  /** Random; in the log, the audit, the reply's X-Request-Id and on error pages. */
  readonly id: string;
  /** Canonical client address (an IPv6 one is its /64). */
  readonly address: string;
  /** Host without port, lower case; X-Forwarded-Host from a trusted proxy only. Says which organization is meant, never where a link leads. */
  readonly host: string;
  readonly arrivedAt: Date;
  /** Why the fast lane has no answer. */
  readonly failure?: { readonly error: unknown };
}

export function requestInfoOf(ctx: Pick<Context, 'state'>): RequestInfo {
  return ctx.state.requestInfo;
}

const INFO = Symbol('request info');

/** The raw request carries it for the provider, which makes a context of its own. A WeakMap costs more than the reply. */
interface Informed extends IncomingMessage {
  [INFO]?: RequestInfo;
}

export function attachRequestInfo(ctx: Pick<Context, 'state' | 'req'>, info: RequestInfo): void {
  ctx.state.requestInfo = info;
  noteRequestInfo(ctx.req, info);
}

/** Of a request that has no context. */
export function noteRequestInfo(request: Informed, info: RequestInfo): void {
  request[INFO] = info;
}

export function requestContextOf(request: Informed): RequestInfo | undefined {
  return request[INFO];
}

/** Resolves when the reply is out, or its connection is gone. */
export async function answered(response: ServerResponse): Promise<void> {
  if (!response.closed) await new Promise((resolve) => response.once('close', resolve));
}
