/**
 * POST to the authorization and logout endpoints (OIDC Core 3.1.2.1, RP-Initiated Logout 2). A POST from
 * another site comes without our SameSite=Lax cookies; the provider would require SameSite=None for it. It
 * is answered by 303 to the same request by GET, to which the browser sends its cookies.
 */
import type { ProviderMiddleware } from '../provider/context.ts';
import { ROUTES } from '../provider/routes.ts';
import { showError } from './answers.ts';
import type { ProviderDeps } from './deps.ts';

/** Characters of a query that every proxy and browser still takes. */
const LONGEST = 12_000;

const PATHS: ReadonlySet<string> = new Set([ROUTES.authorization, ROUTES.end_session]);

export function formToQuery(deps: ProviderDeps): ProviderMiddleware {
  return async (ctx, next) => {
    if (ctx.method !== 'POST' || !PATHS.has(ctx.path)) return next();
    ctx.set('Cache-Control', 'no-store');
    const form = ctx.is('application/x-www-form-urlencoded') ? await readForm(ctx.req) : undefined;
    if (form === undefined) {
      ctx.status = 400;
      const expected = 'a form of application/x-www-form-urlencoded was expected, and not a long one';
      return showError(deps, ctx, 'invalid_request', expected);
    }
    ctx.status = 303;
    ctx.set('Location', `${ctx.path}?${new URLSearchParams(form)}`);
    ctx.body = '';
  };
}

async function readForm(request: AsyncIterable<Buffer>): Promise<string | undefined> {
  const chunks: Buffer[] = [];
  let length = 0;
  for await (const chunk of request) {
    length += chunk.byteLength;
    if (length <= LONGEST) chunks.push(chunk);
  }
  return length > LONGEST ? undefined : Buffer.concat(chunks).toString('utf8');
}
