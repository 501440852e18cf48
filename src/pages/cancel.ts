/** The way back to the app without signing in. */
import type { Submits } from '../http/routes.ts';
import { readInteraction } from './interaction.ts';
import type { PageParts } from './parts.ts';

export function cancel(parts: PageParts): Submits {
  return async (ctx) => {
    const view = await readInteraction(parts, ctx);
    if (view === undefined) return;
    ctx.respond = false;
    await parts.interactions.abort(ctx.req, ctx.res, {
      error: 'access_denied',
      description: 'The person went back without signing in.',
    });
  };
}
