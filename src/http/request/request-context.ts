/** What the first middleware find out about a request, for all that come after. */
import type { IncomingMessage } from 'node:http';
import type { Context } from 'koa';

export interface RequestInfo {
  /** Random; in the log, the audit, the reply's X-Request-Id and on error pages. */
  readonly id: string;
  /** Canonical client address (an IPv6 one is its /64). */
  readonly address: string;
  /** Host without port, lower case; X-Forwarded-Host from a trusted proxy only. Says which organization is meant, never where a link leads. */
  readonly host: string;
  readonly arrivedAt: Date;
}

export function requestInfoOf(ctx: Pick<Context, 'state'>): RequestInfo {
  return ctx.state.facts as RequestInfo;
}

/** Where the raw request carries its facts, for the provider, which makes a context of its own. */
const METADATA = Symbol('facts');

export function attachRequestInfo(ctx: Pick<Context, 'state' | 'req'>, context: Partial<RequestInfo>): void {
  ctx.state.facts = context;
  Object.assign(ctx.req, { [METADATA]: context });
}

export function requestContextOf(request: IncomingMessage): RequestInfo | undefined {
  return (request as IncomingMessage & { [METADATA]?: RequestInfo })[METADATA];
}
