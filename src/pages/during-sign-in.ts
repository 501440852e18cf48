/** What every form of a sign-in begins with: is there something to answer still? */
import type { Context } from 'koa';
import type { FormFields } from '../http/read-form.ts';
import type { Submits } from '../http/routes.ts';
import type { InteractionView } from '../oidc/oidc.ts';
import { showConsent } from './consent.ts';
import type { PageParts } from './parts.ts';
import { readInteraction } from './read-interaction.ts';

export type SignInForm = (ctx: Context, form: FormFields, view: InteractionView) => Promise<void>;

export function duringSignIn(parts: PageParts, submits: SignInForm): Submits {
  return async (ctx, form) => {
    const view = await readInteraction(parts, ctx);
    if (view === undefined) return;
    // A sign-in form that was kept open must not change who answers the consent that is asked for now.
    if (view.prompt === 'consent') await showConsent(parts, ctx, view);
    else if (view.finished) await goOn(parts, ctx);
    else await submits(ctx, form, view);
  };
}

/** A form that was sent twice: the sign-in is done, and the browser belongs where the first reply sent it. */
export async function goOn(parts: PageParts, ctx: Context): Promise<void> {
  ctx.respond = false;
  await parts.interactions.goOn(ctx.req, ctx.res);
}
