/**
 * What every step of a sign-in begins with: which interaction is it, and may the step change it now? `form`
 * hands on the interaction; `signInForm` and `signInPage` do so while a sign-in is what the provider waits for, and
 * its organization is known; `organizationForm` is how that is chosen;
 * `registrationForm` and `registrationPage` besides refuse where people may not register. Where a form is
 * refused, the page named beside it is shown again. `answer` lets any site through, because an upstream is one:
 * `state` binds what it brings to the browser that went there (shared/upstream-trip.ts).
 */
import { setTimeout as wait } from 'node:timers/promises';
import type { Context, Middleware } from 'koa';
import { randomUUID } from '../../core/crypto.ts';
import { Refused } from '../../core/refused.ts';
import { pageGuards } from '../../http/forms/guards.ts';
import { type FormFields, readForm } from '../../http/forms/read-form.ts';
import { seeOther } from '../../http/views/send-page.ts';
import { refusedAlike } from '../../identity/legacy/refused-alike.ts';
import type { OrganizationRecord } from '../../model/organization.ts';
import { InteractionGone, type InteractionView } from '../../oidc/contract.ts';
import { type Refusal, refusedBy } from '../shared/alert.ts';
import type { PageDeps, PageForm } from '../shared/deps.ts';
import { interactionOf, readInteraction, sayGone } from '../shared/interaction.ts';
import { leadOn } from '../shared/lead-on.ts';
import { requestContext } from '../shared/request-context.ts';
import { showConsent } from './consent.ts';
import { withLastingProof } from './flow-state.ts';
import { signInMethodsOf } from './methods.ts';
import { asksOrganization, showOrganization } from './organization.ts';

/** A request to a sign-in. */
export interface Step {
  readonly deps: PageDeps;
  readonly ctx: Context;
  readonly view: InteractionView;
  readonly context: ReturnType<typeof requestContext>;
  /** The organization's record, where the step has read it already. */
  readonly organization?: OrganizationRecord | undefined;
  /** Without fields where none was sent. */
  readonly form: FormFields;
}

/** What a request to a sign-in does. */
export type SignInStep = (step: Step) => Promise<void>;
/** A page of a sign-in. `refusal`: of the form that the person has just sent. */
export type SignInPage = (step: Step, refusal?: Refusal) => Promise<void>;

export function signInGuards(deps: PageDeps) {
  const { open, ownForm } = pageGuards(deps);
  const page = (act: SignInStep) =>
    open((_deps, ctx) => inInteraction(act)(deps, ctx, new URLSearchParams()));
  const form = (act: SignInStep) => ownForm(interactionOf, inInteraction(act));
  return {
    form,
    signInPage: (shows: SignInPage) => page(duringSignIn(shows)),
    signInForm: (act: SignInStep, shows?: SignInPage) => form(duringSignIn(shownAgain(act, shows))),
    organizationForm: (act: SignInStep, shows: SignInPage) => form(untilSignedIn(shownAgain(act, shows))),
    registrationPage: (shows: SignInPage) => page(toConsent(duringSignIn(whereOpen(shows)))),
    registrationForm: (act: SignInStep, shows: SignInPage) =>
      form(duringSignIn(whereOpen(shownAgain(act, shows)))),
    answer:
      (submits: PageForm): Middleware =>
      async (ctx) => {
        // A link preview asks with HEAD, which would use the answer up.
        if (ctx.method === 'HEAD') throw new Refused('method-not-allowed', { allow: ['GET', 'POST'] });
        await submits(deps, ctx, ctx.method === 'POST' ? await readForm(ctx.req) : queryOf(ctx));
      },
  };
}

async function readStep(deps: PageDeps, ctx: Context): Promise<InteractionView | undefined> {
  const view = await readInteraction(deps, ctx);
  return view && withLastingProof(deps, view);
}

function inInteraction(act: SignInStep): PageForm {
  return async (deps, ctx, form) => {
    try {
      const view = await readStep(deps, ctx);
      if (view !== undefined)
        await unlessFinished(act)({ deps, ctx, view, context: requestContext(ctx, view), form });
    } catch (error) {
      // It ended between the look at it and the step: a form that was sent twice at once, or another tab.
      if (!(error instanceof InteractionGone)) throw error;
      const view = await readStep(deps, ctx);
      if (view?.finished !== undefined) await leadOn(deps, ctx, { view, address: view.finished });
      else if (view !== undefined) await sayGone(deps, ctx);
    }
  };
}

function shownAgain(act: SignInStep, shows: SignInPage | undefined): SignInStep {
  if (shows === undefined) return act;
  return async (step) => {
    try {
      await act(step);
    } catch (error) {
      await shows(step, refusedBy(step.deps, step.ctx, await alike(step, error)));
    }
  };
}

async function alike({ deps, view, context }: Step, error: unknown): Promise<unknown> {
  if (!(error instanceof Refused)) return error;
  return refusedAlike(deps.identity, { organization: view.organization, context }, error);
}

function duringSignIn(act: SignInStep): SignInStep {
  return untilSignedIn(async (step) => {
    // Every step is at an organization.
    if (asksOrganization(step.view)) await showOrganization(step);
    else await act(step);
  });
}

function untilSignedIn(act: SignInStep): SignInStep {
  return async (step) => {
    // A sign-in form that was kept open must not change who answers the consent that is asked for now.
    if (step.view.prompt === 'consent') await showConsent(step);
    else await act(step);
  };
}

/** A second press, Back, a reload: the sign-in is done, and the browser belongs where the first reply sent it. */
export function unlessFinished(act: SignInStep): SignInStep {
  return async (step) => {
    const { deps, ctx, view } = step;
    if (view.finished === undefined) await act(step);
    else await leadOn(deps, ctx, { view, address: view.finished });
  };
}

/**
 * One at a time in an interaction, so that a form that was sent twice is not told that what it brings was used
 * already: the first one may have finished the sign-in while this one waited. Only a courtesy: who has waited long
 * enough goes on, and what is good once has one winner by itself.
 */
export function oneAtATime(what: string, act: SignInStep): SignInStep {
  return async (step) => {
    const { deps, ctx } = step;
    const release = await acquireLease(step, what);
    try {
      const view = await readStep(deps, ctx);
      if (view !== undefined) await unlessFinished(act)({ ...step, view });
    } finally {
      await release();
    }
  };
}

async function acquireLease({ deps, view }: Step, what: string): Promise<() => Promise<void>> {
  const { stores, clock } = deps.identity;
  const key = `${what}:${view.uid}`;
  const owner = randomUUID();
  for (let tries = 0; tries < 20; tries += 1) {
    const now = clock.now();
    if (await stores.leases.acquire(key, owner, now, new Date(now.getTime() + 5000))) break;
    await wait(50);
  }
  return () => stores.leases.release(key, owner);
}

function toConsent(act: SignInStep): SignInStep {
  return async (step) => {
    const { ctx, view } = step;
    if (view.prompt === 'consent') seeOther(ctx, `/interaction/${view.uid}`);
    else await act(step);
  };
}

function whereOpen(act: SignInStep): SignInStep {
  return async (step) => {
    if (!(await signInMethodsOf(step.deps, step.view)).registers)
      throw new Refused('not-found', { detail: 'no registration here' });
    await act(step);
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
