import type { Context } from 'koa';

/** What a form of an interaction is bound to. */
export function interactionOf(ctx: Context): string {
  return `interaction:${String((ctx.params as { uid?: string }).uid)}`;
}
