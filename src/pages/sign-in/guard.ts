/** What every form of a sign-in begins with: is there something to answer still? */
import type { Context } from 'koa';
import type { Submits } from '../../http/forms/guards.ts';
import type { FormFields } from '../../http/forms/read-form.ts';
import type { InteractionView } from '../../oidc/contract.ts';
import type { PageDeps } from '../shared/deps.ts';
import { readInteraction } from '../shared/interaction.ts';
import { showConsent } from './consent.ts';

export type SignInForm = (ctx: Context, form: FormFields, view: InteractionView) => Promise<void>;

export function duringSignIn(deps: PageDeps, submits: SignInForm): Submits {
  return async (ctx, form) => {
    const view = await readInteraction(deps, ctx);
    if (view === undefined) return;
    // A sign-in form that was kept open must not change who answers the consent that is asked for now.
    if (view.prompt === 'consent') await showConsent(deps, ctx, view);
    else if (view.finished) await goOn(deps, ctx);
    else await submits(ctx, form, view);
  };
}

/** A form that was sent twice: the sign-in is done, and the browser belongs where the first reply sent it. */
export async function goOn(deps: PageDeps, ctx: Context): Promise<void> {
  ctx.respond = false;
  await deps.interactions.goOn(ctx.req, ctx.res);
}
