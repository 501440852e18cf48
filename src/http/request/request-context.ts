/** What the first middleware find out about a request, for all that come after. */
import type { IncomingMessage } from 'node:http';
import type { Context } from 'koa';

export interface RequestFacts {
  /** Random; in the log, the audit, the reply's X-Request-Id and on error pages. */
  readonly id: string;
  /** Canonical client address (an IPv6 one is its /64). */
  readonly address: string;
  /** Host without port, lower case; X-Forwarded-Host from a trusted proxy only. Says which organization is meant, never where a link leads. */
  readonly host: string;
  readonly arrivedAt: Date;
}

export function factsOf(ctx: Pick<Context, 'state'>): RequestFacts {
  return ctx.state.facts as RequestFacts;
}

/** Where the raw request carries its facts, for the engine, which makes a context of its own. */
const FACTS = Symbol('facts');

export function attachFacts(ctx: Pick<Context, 'state' | 'req'>, facts: Partial<RequestFacts>): void {
  ctx.state.facts = facts;
  Object.assign(ctx.req, { [FACTS]: facts });
}

export function factsOfRequest(request: IncomingMessage): RequestFacts | undefined {
  return (request as IncomingMessage & { [FACTS]?: RequestFacts })[FACTS];
}
