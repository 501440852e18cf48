/**
 * An interaction can end between the look at it and the step that goes on with it: a form that was sent
 * twice at once, another tab. The person reads the same as on any interaction that is over.
 */
import type { Context } from 'koa';
import { InteractionGone } from '../../oidc/contract.ts';
import type { PageDeps } from './deps.ts';
import { sayGone } from './interaction.ts';

export function whileItLasts<Rest extends unknown[]>(
  deps: PageDeps,
  step: (ctx: Context, ...rest: Rest) => Promise<void> | void,
): (ctx: Context, ...rest: Rest) => Promise<void> {
  return async (ctx, ...rest) => {
    try {
      await step(ctx, ...rest);
    } catch (error) {
      if (!(error instanceof InteractionGone) || ctx.headerSent) throw error;
      // The step had left the reply to the provider, which gave none.
      ctx.respond = true;
      await sayGone(deps, ctx);
    }
  };
}
