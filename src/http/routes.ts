/**
 * The hosted pages' map: what is answered where, and what stands before it. The engine's routes
 * (/authorize, /token, ...) are the engine's, the dialects' are in their tables.
 *
 * Guards: `open` asks nothing. `ownForm` reads the form and lets only our own pages' posts through
 * (csrf.ts); `ownFormNoReferrer` the same for a page whose browser hides its origin.
 */
import Router from '@koa/router';
import type { Context, Middleware } from 'koa';
import { FORM_TOKEN, type Forms } from './csrf.ts';
import { type FormFields, readForm } from './read-form.ts';

/** A page: shows something. */
export type Shows = (ctx: Context) => Promise<void> | void;
/** A page's form: its origin is proven and its body read; `verify` checks the token for what the form is about. */
export type Submits = (ctx: Context, form: FormFields) => Promise<void>;

export interface PageHandlers {
  readonly front: Shows;
  readonly interaction: Shows;
  readonly signIn: Submits;
  readonly consent: Submits;
  readonly cancel: Submits;
  readonly reset: Shows;
  readonly resetDone: Shows;
  readonly setNewPassword: Submits;
}

export function pageRoutes(pages: PageHandlers, forms: Forms): Middleware {
  const { open, ownForm, ownFormNoReferrer } = guards(forms);
  return new Router({ sensitive: true })
    .get('/', open(pages.front))
    .get('/interaction/:uid', open(pages.interaction))
    .post('/interaction/:uid/sign-in', ownForm(interactionOf, pages.signIn))
    .post('/interaction/:uid/consent', ownForm(interactionOf, pages.consent))
    .post('/interaction/:uid/cancel', ownForm(interactionOf, pages.cancel))
    .get('/reset', open(pages.reset))
    .get('/reset/done', open(pages.resetDone))
    .post(
      '/reset',
      ownFormNoReferrer(() => 'reset', pages.setNewPassword),
    )
    .routes() as unknown as Middleware;
}

/** What a form of an interaction is bound to. */
export function interactionOf(ctx: Context): string {
  return `interaction:${String((ctx.params as { uid?: string }).uid)}`;
}

function routeOf(ctx: Context): unknown {
  return (ctx as { _matchedRoute?: unknown })._matchedRoute;
}

function guards(forms: Forms) {
  const own =
    (opaqueOrigin: boolean) =>
    (purpose: (ctx: Context) => string, submits: Submits): Middleware =>
    async (ctx) => {
      ctx.state.route = routeOf(ctx);
      const form = await readForm(ctx.req);
      forms.refuseForeignOrigin(ctx, { opaqueOrigin });
      forms.check(ctx, purpose(ctx), form.get(FORM_TOKEN) ?? undefined);
      await submits(ctx, form);
    };
  return {
    open:
      (shows: Shows): Middleware =>
      async (ctx) => {
        ctx.state.route = routeOf(ctx);
        await shows(ctx);
      },
    ownForm: own(false),
    ownFormNoReferrer: own(true),
  };
}
