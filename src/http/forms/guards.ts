/**
 * What stands before a page. `open` asks nothing. `ownForm` reads the form and lets only our own pages' posts
 * through (csrf.ts); `ownFormNoReferrer` the same for a page whose browser hides its origin.
 */
import type { Context, Middleware } from 'koa';
import { FORM_TOKEN, type Forms } from './csrf.ts';
import { type FormFields, readForm } from './read-form.ts';

/** A page: shows something. */
export type Shows = (ctx: Context) => Promise<void> | void;
/** A page's form: its origin is proven, its token checked and its body read. */
export type Submits = (ctx: Context, form: FormFields) => Promise<void>;

export function pageGuards(forms: Forms) {
  const own =
    (opaqueOrigin: boolean) =>
    (purpose: (ctx: Context) => string, submits: Submits): Middleware =>
    async (ctx) => {
      const form = await readForm(ctx.req);
      forms.refuseForeignOrigin(ctx, { opaqueOrigin });
      forms.check(ctx, purpose(ctx), form.get(FORM_TOKEN) ?? undefined);
      await submits(ctx, form);
    };
  return {
    open:
      (shows: Shows): Middleware =>
      (ctx) =>
        shows(ctx),
    ownForm: own(false),
    ownFormNoReferrer: own(true),
  };
}
