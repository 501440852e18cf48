/** The way back to the app without signing in. */
import type { Submits } from '../../http/forms/guards.ts';
import type { PageDeps } from '../shared/deps.ts';
import { readInteraction } from '../shared/interaction.ts';

export function cancel(deps: PageDeps): Submits {
  return async (ctx, form) => {
    const view = await readInteraction(deps, ctx);
    if (view === undefined) return;
    ctx.respond = false;
    await deps.interactions.abort(ctx.req, ctx.res, {
      // RFC 9470, 5: the app wanted two proofs, and the account has one.
      error: form.get('reason') === 'unmet' ? 'unmet_authentication_requirements' : 'access_denied',
      description: 'The person went back without signing in.',
    });
  };
}
