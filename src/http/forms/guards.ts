/**
 * What stands before a page. `open` asks nothing. `ownForm` reads the form and lets only our own pages' posts
 * through (csrf.ts); `ownFormNoReferrer` does the same for a page whose browser hides its origin. A page gets
 * what it works with, the request, and its form.
 */
import Router from '@koa/router';
import type { Context, Middleware } from 'koa';
import { FORM_TOKEN, type Forms } from './csrf.ts';
import { type FormFields, readForm } from './read-form.ts';

/** A page: shows something. */
export type Shows<Deps> = (deps: Deps, ctx: Context) => Promise<void> | void;
/** A page's form: its origin and its token are checked, and its body is read. */
export type Submits<Deps> = (deps: Deps, ctx: Context, form: FormFields) => Promise<void> | void;

export function pageGuards<Deps extends { readonly forms: Forms }>(deps: Deps) {
  const own =
    (opaqueOrigin: boolean) =>
    (purpose: string | ((ctx: Context) => string), submits: Submits<Deps>): Middleware =>
    async (ctx) => {
      const form = await readForm(ctx.req);
      deps.forms.refuseForeignOrigin(ctx, { opaqueOrigin });
      const token = form.get(FORM_TOKEN) ?? undefined;
      deps.forms.check(ctx, typeof purpose === 'string' ? purpose : purpose(ctx), token);
      await submits(deps, ctx, form);
    };
  return {
    open:
      (shows: Shows<Deps>): Middleware =>
      (ctx) =>
        shows(deps, ctx),
    ownForm: own(false),
    ownFormNoReferrer: own(true),
  };
}

/**
 * A router as a middleware of Koa's own type. A router tries its routes one after the other, so each request gets those
 * alone that have its method and the first part of its path.
 */
export function middlewareOf(router: Router): Middleware {
  const groups = Map.groupBy(
    router.stack.flatMap((layer) => layer.methods.map((method) => ({ layer, method }))),
    ({ layer, method }) => groupOf(method, String(layer.path)),
  );
  const routesOf = new Map(
    [...groups].map(([name, members]) => {
      const group = new Router(router.opts);
      group.stack.push(...members.map(({ layer }) => layer));
      return [name, group.routes()];
    }),
  );
  return (ctx, next) => {
    const routes = routesOf.get(groupOf(ctx.method, ctx.path));
    return routes ? routes(Object.assign(ctx, { params: {}, router }), next) : next();
  };
}

function groupOf(method: string, path: string): string {
  return `${method} ${path.split('/', 2)[1] ?? ''}`;
}
