/** What goes wrong, as an answer in the form of OAuth or as a page. */
import { StoreUnavailable } from '../../core/errors.ts';
import { Refused } from '../../core/refused.ts';
import type { Log } from '../../observe/log.ts';
import type { ProviderPages } from '../page-contract.ts';
import { type ProviderMiddleware, routeOf, type StepContext } from '../provider/context.ts';
import { subjectOf } from './page-subject.ts';

export interface ErrorDeps {
  readonly pages: Pick<ProviderPages, 'error'>;
  readonly log: Log;
}

export async function renderError(
  deps: Pick<ErrorDeps, 'pages'>,
  ctx: StepContext,
  refusal: { error: string; description?: string | undefined },
): Promise<void> {
  ctx.body = await deps.pages.error(ctx.req, ctx.res, {
    ...subjectOf(ctx),
    status: ctx.status,
    error: refusal.error,
    ...(refusal.description !== undefined && { description: refusal.description }),
  });
  ctx.type = 'html';
}

/** Errors outside the provider's own handlers. */
export function answerErrors(deps: ErrorDeps): ProviderMiddleware {
  return async (ctx, next) => {
    try {
      await next();
    } catch (error) {
      const { status, code, retryAfter } = failureOf(error);
      if (status !== 429) {
        const level = status === 503 ? 'warn' : 'error';
        deps.log[level]({ err: error, route: routeOf(ctx) }, 'a request to oidc-provider failed');
      }
      ctx.status = status;
      ctx.set('Cache-Control', 'no-store');
      if (retryAfter !== undefined) ctx.set('Retry-After', String(retryAfter));
      if (ctx.accepts('json', 'html') === 'html') await renderError(deps, ctx, { error: code });
      else ctx.body = { error: code };
    }
  };
}

function failureOf(error: unknown): { status: number; code: string; retryAfter?: number } {
  if (error instanceof StoreUnavailable) {
    return { status: 503, code: 'temporarily_unavailable', retryAfter: 5 };
  }
  if (error instanceof Refused && error.reason === 'too-many-requests') {
    return { status: 429, code: 'too_many_requests', retryAfter: error.retryAfter ?? 60 };
  }
  return { status: 500, code: 'server_error' };
}
