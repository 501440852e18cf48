/**
 * Every error of a route of ours becomes a reply here, and nowhere else: JSON in OAuth's form, or a page
 * for a browser. The client reads a fixed sentence per reason; what really happened goes to the log with
 * the request id that the client sees too (no stack, no detail: security.md L3).
 */
import type { Context, Middleware } from 'koa';
import { StoreUnavailable } from '../../core/errors.ts';
import { type Reason, Refused } from '../../core/refused.ts';
import type { Log } from '../../observe/log.ts';
import { requestInfoOf } from '../request/request-context.ts';
import type { Views } from '../views/render.ts';
import { sendPage } from '../views/send-page.ts';

interface Answer {
  readonly status: number;
  /** RFC 6749's codes where one fits. */
  readonly error: string;
  readonly description: string;
}

const ANSWERS: Partial<Record<Reason, Answer>> = {
  'not-found': { status: 404, error: 'not_found', description: 'There is nothing at this address.' },
  'method-not-allowed': {
    status: 405,
    error: 'invalid_request',
    description: 'This method is not served here.',
  },
  'too-large': { status: 413, error: 'invalid_request', description: 'The request is too large.' },
  'unsupported-encoding': {
    status: 415,
    error: 'invalid_request',
    description: 'Compressed bodies are not read.',
  },
  'unsupported-media-type': {
    status: 415,
    error: 'invalid_request',
    description: 'This media type is not read here.',
  },
  forbidden: {
    status: 403,
    error: 'access_denied',
    description: 'The request did not come from our own page.',
  },
  'too-many-requests': {
    status: 429,
    error: 'too_many_requests',
    description: 'Too many attempts. Wait, then try again.',
  },
  unavailable: {
    status: 503,
    error: 'temporarily_unavailable',
    description: 'The service cannot answer now. Try again in a moment.',
  },
  internal: { status: 500, error: 'server_error', description: 'Something went wrong on our side.' },
};

const BAD_REQUEST: Answer = {
  status: 400,
  error: 'invalid_request',
  description: 'The request could not be read.',
};
const RETRY_AFTER = 5;

export function respondWithError(options: { log: Log; views: Views }): Middleware {
  return async (ctx, next) => {
    try {
      await next();
    } catch (error) {
      const refusal = asRefusal(error);
      report(options.log, ctx, error, refusal);
      if (ctx.headerSent) {
        // Half a reply is out: cutting the connection is the only way to tell the client.
        ctx.res.destroy();
        return;
      }
      // A route that had left its reply to the provider and failed on the way there.
      ctx.respond = true;
      answer(ctx, options.views, refusal);
    }
  };
}

function asRefusal(error: unknown): Refused {
  if (error instanceof Refused) return error;
  if (error instanceof StoreUnavailable)
    return new Refused('unavailable', { retryAfter: RETRY_AFTER, cause: error });
  return new Refused(statusOf(error) === 400 ? 'unreadable-body' : 'internal', { cause: error });
}

/** Koa and the router throw URIError and errors with `status` for malformed percent-encoding in a path. */
function statusOf(error: unknown): number {
  if (error instanceof URIError) return 400;
  return error instanceof Error && 'status' in error && error.status === 400 ? 400 : 500;
}

function report(log: Log, ctx: Context, error: unknown, refusal: Refused): void {
  const line = { requestId: requestInfoOf(ctx).id, reason: refusal.reason };
  if (refusal.reason === 'internal') log.error({ ...line, err: error }, 'request failed');
  else if (error instanceof StoreUnavailable)
    log.error({ ...line, store: error.store, err: error }, 'store unavailable');
  else log.debug({ ...line, detail: refusal.message }, 'request refused');
}

/** Turns a refusal into the reply. Exported for pages that end with an error of their own making. */
export function answer(ctx: Context, views: Views, refusal: Refused): void {
  const { status, error, description } = ANSWERS[refusal.reason] ?? BAD_REQUEST;
  ctx.status = status;
  // What the route had set belonged to another reply.
  ctx.remove('Content-Encoding');
  ctx.set('Cache-Control', 'no-store');
  if (refusal.allow.length > 0) ctx.set('Allow', refusal.allow.join(', '));
  const wait = refusal.retryAfter ?? (status === 503 ? RETRY_AFTER : undefined);
  if (wait !== undefined) ctx.set('Retry-After', String(wait));
  if (ctx.accepts('json', 'html') === 'html') {
    const kind = refusal.reason in ANSWERS ? refusal.reason : 'bad-request';
    sendPage(ctx, views, { status, view: 'error', data: { kind, requestId: requestInfoOf(ctx).id } });
  } else {
    ctx.body = { error, error_description: description };
  }
}
