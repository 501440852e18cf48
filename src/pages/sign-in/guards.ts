/**
 * What every step of a sign-in begins with: which interaction is it, and may the step change it now? `form`
 * and `page` hand on the interaction; `signInForm` and `signInPage` do so while a sign-in is what the provider
 * waits for; `registrationForm` and `registrationPage` besides refuse where people may not register. `answer`
 * lets any site through, because an upstream is one: `state` binds what it brings to the browser that went
 * there (upstream.ts).
 */
import type { Context, Middleware } from 'koa';
import { Refused } from '../../core/refused.ts';
import { pageGuards } from '../../http/forms/guards.ts';
import { type FormFields, readForm } from '../../http/forms/read-form.ts';
import { seeOther } from '../../http/views/send-page.ts';
import { InteractionGone, type InteractionView } from '../../oidc/contract.ts';
import type { PageDeps, PageForm } from '../shared/deps.ts';
import { goOn, interactionOf, readInteraction, sayGone } from '../shared/interaction.ts';
import { showConsent } from './consent.ts';
import { mayRegister } from './methods.ts';

/** A page of a sign-in, or one of its forms. */
export type SignInStep = (
  deps: PageDeps,
  ctx: Context,
  view: InteractionView,
  form: FormFields,
) => Promise<void>;

const NO_FIELDS: FormFields = new URLSearchParams();

export function signInGuards(deps: PageDeps) {
  const { open, ownForm } = pageGuards(deps);
  const page = (step: SignInStep) => open((_deps, ctx) => inInteraction(step)(deps, ctx, NO_FIELDS));
  const form = (step: SignInStep) => ownForm(interactionOf, inInteraction(step));
  return {
    form,
    signInPage: (step: SignInStep) => page(duringSignIn(step)),
    signInForm: (step: SignInStep) => form(duringSignIn(step)),
    registrationPage: (step: SignInStep) => page(toConsent(duringSignIn(whereOpen(step)))),
    registrationForm: (step: SignInStep) => form(duringSignIn(whereOpen(step))),
    answer:
      (submits: PageForm): Middleware =>
      async (ctx) => {
        // A link preview asks with HEAD, which would use the answer up.
        if (ctx.method === 'HEAD') throw new Refused('method-not-allowed', { allow: ['GET', 'POST'] });
        await submits(deps, ctx, ctx.method === 'POST' ? await readForm(ctx.req) : queryOf(ctx));
      },
  };
}

function inInteraction(step: SignInStep): PageForm {
  return async (deps, ctx, form) => {
    try {
      const view = await readInteraction(deps, ctx);
      if (view !== undefined) await step(deps, ctx, view, form);
    } catch (error) {
      // It ended between the look at it and the step: a form that was sent twice at once, or another tab.
      if (!(error instanceof InteractionGone) || ctx.headerSent) throw error;
      // The step had left the reply to the provider, which gave none.
      ctx.respond = true;
      await sayGone(deps, ctx);
    }
  };
}

function duringSignIn(step: SignInStep): SignInStep {
  return async (deps, ctx, view, form) => {
    // A sign-in form that was kept open must not change who answers the consent that is asked for now.
    if (view.prompt === 'consent') await showConsent(deps, ctx, view);
    else if (view.finished) await goOn(deps, ctx);
    else await step(deps, ctx, view, form);
  };
}

function toConsent(step: SignInStep): SignInStep {
  return async (deps, ctx, view, form) => {
    if (view.prompt === 'consent' && !view.finished) seeOther(ctx, `/interaction/${view.uid}`);
    else await step(deps, ctx, view, form);
  };
}

function whereOpen(step: SignInStep): SignInStep {
  return async (deps, ctx, view, form) => {
    if (!(await mayRegister(deps, view))) throw new Refused('not-found', { detail: 'no registration here' });
    await step(deps, ctx, view, form);
  };
}

function queryOf(ctx: Context): FormFields {
  const query = new URLSearchParams(ctx.querystring);
  for (const name of query.keys()) {
    if (query.getAll(name).length > 1)
      throw new Refused('unreadable-body', { detail: 'a field given twice' });
  }
  return query;
}
