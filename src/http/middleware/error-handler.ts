/**
 * Every error of a route of ours becomes a reply here, and nowhere else: JSON in OAuth's form, or a page
 * for a browser. The client reads a fixed sentence per reason; what really happened goes to the log with
 * the request id that the client sees too (no stack, no detail).
 */
import type { Context, Middleware } from 'koa';
import { StoreUnavailable } from '../../core/errors.ts';
import { type Reason, Refused } from '../../core/refused.ts';
import type { Log } from '../../observe/log.ts';
import { requestInfoOf } from '../request/request-context.ts';
import type { Views } from '../views/render.ts';
import { sendPage } from '../views/send-page.ts';

/** RFC 6749's codes where one fits. */
type Answer = readonly [status: number, error: string, description: string];

const ANSWERS: Partial<Record<Reason, Answer>> = {
  'not-found': [404, 'not_found', 'There is nothing at this address.'],
  'method-not-allowed': [
    405,
    'invalid_request',
    'This method is not served here; the header Allow names those that are.',
  ],
  'too-large': [
    413,
    'invalid_request',
    'The request is too large: an authorization request takes 8 kB, another form 56 kB.',
  ],
  'unsupported-encoding': [415, 'invalid_request', 'Compressed bodies are not read.'],
  'unsupported-media-type': [415, 'invalid_request', 'This media type is not read here.'],
  forbidden: [403, 'access_denied', 'The request did not come from our own page.'],
  'too-many-requests': [429, 'temporarily_unavailable', 'Too many attempts. Wait, then try again.'],
  unavailable: [503, 'temporarily_unavailable', 'The service cannot answer now. Try again in a moment.'],
  internal: [500, 'server_error', 'Something went wrong on our side.'],
};
const BAD_REQUEST: Answer = [400, 'invalid_request', 'The request could not be read.'];
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
  // Koa and the router throw URIError and errors with `status` for malformed percent-encoding in a path.
  const malformed =
    error instanceof URIError || (error instanceof Error && 'status' in error && error.status === 400);
  return new Refused(malformed ? 'unreadable-body' : 'internal', { cause: error });
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
  const [status, error, description] = ANSWERS[refusal.reason] ?? BAD_REQUEST;
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
