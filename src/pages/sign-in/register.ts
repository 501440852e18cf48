/**
 * Opening an account on the way to an app: address and password, then the code from the email. Nothing on
 * these pages tells whether an address has an account already; its owner is told by email.
 */
import type { Context } from 'koa';
import { Refused } from '../../core/refused.ts';
import type { Shows, Submits } from '../../http/forms/guards.ts';
import { sendPage } from '../../http/views/send-page.ts';
import {
  beginRegistration,
  finishRegistration,
  type Registration,
  sendRegistrationCode,
} from '../../identity/self-service/register.ts';
import type { InteractionView } from '../../oidc/contract.ts';
import { type Alert, alertFor, statusFor } from '../shared/alert.ts';
import { brandOf } from '../shared/branding.ts';
import { forApp } from '../shared/client-label.ts';
import type { PageDeps } from '../shared/deps.ts';
import { codeIn, emailIn, lineIn } from '../shared/form-fields.ts';
import { readInteraction } from '../shared/interaction.ts';
import { interactionOf } from '../shared/interaction-of.ts';
import { originOf } from '../shared/request-origin.ts';
import { proven } from './complete.ts';
import { duringSignIn, goOn } from './guard.ts';
import { mayRegister } from './may-register.ts';

/** Milliseconds before another email is sent. */
const RESEND_AFTER = 30_000;

/** What waits with the interaction between the steps. */
interface Begun {
  readonly registration: Registration;
  /** Epoch milliseconds. */
  readonly sentAt: number;
}

interface FormState {
  readonly email?: string;
  readonly name?: string;
  readonly alert?: Alert;
  readonly status?: number;
}

export function register(deps: PageDeps): Shows {
  return whileOpen(deps, (ctx, view) => showForm(deps, ctx, view, { email: view.loginHint ?? '' }));
}

export function begin(deps: PageDeps): Submits {
  return duringSignIn(deps, async (ctx, form, view) => {
    await refuseWhereClosed(deps, view);
    const entered = { email: form.get('email') ?? '', name: form.get('name') ?? '' };
    const email = emailIn(form);
    const name = lineIn(form, 'name', 100);
    const minimum = deps.passwordMinimum;
    try {
      if (email === undefined || name === undefined) {
        const kind = email === undefined ? 'invalid-address' : 'invalid-fields';
        await showForm(deps, ctx, view, { ...entered, alert: { kind }, status: 400 });
        return;
      }
      const locale = view.uiLocales[0];
      const registration = await beginRegistration(deps.identity, {
        organization: view.organization,
        email,
        password: form.get('password') ?? '',
        claims: { ...(name !== '' && { name }), ...(locale !== undefined && { locale }) },
        minimum,
        request: view.uid,
        context: originOf(ctx, view),
      });
      await goToCode(deps, ctx, view, registration);
    } catch (error) {
      const refused = refusedBy(ctx, error, { minimum });
      await showForm(deps, ctx, view, { ...entered, ...refused });
    }
  });
}

export function registerCode(deps: PageDeps): Shows {
  return whileOpen(deps, async (ctx, view) => {
    const begun = begunIn(view);
    if (begun === undefined) backTo(ctx, view);
    else await showCode(deps, ctx, view, begun);
  });
}

export function finish(deps: PageDeps): Submits {
  return duringSignIn(deps, async (ctx, form, view) => {
    await refuseWhereClosed(deps, view);
    const begun = begunIn(view);
    if (begun === undefined) {
      backTo(ctx, view);
      return;
    }
    try {
      const account = await finishRegistration(deps.identity, {
        organization: view.organization,
        registration: begun.registration,
        code: codeIn(form),
        request: view.uid,
        context: originOf(ctx, view),
      });
      if (account === undefined) throw new Refused('code-refused');
      await proven(deps, ctx, view, { account, proofs: ['otp'], remember: false });
    } catch (error) {
      await showCode(deps, ctx, view, begun, refusedBy(ctx, error));
    }
  });
}

/** Another email, not at once: the first one is usually on its way. */
export function resend(deps: PageDeps): Submits {
  return duringSignIn(deps, async (ctx, _form, view) => {
    await refuseWhereClosed(deps, view);
    const begun = begunIn(view);
    if (begun === undefined) {
      backTo(ctx, view);
      return;
    }
    const { organization, uid: request } = view;
    const { registration } = begun;
    try {
      const wait = begun.sentAt + RESEND_AFTER - deps.identity.clock.now().getTime();
      if (wait > 0) throw new Refused('too-many-requests', { retryAfter: Math.ceil(wait / 1000) });
      const context = originOf(ctx, view);
      await sendRegistrationCode(deps.identity, { organization, registration, request, context });
      await goToCode(deps, ctx, view, registration);
    } catch (error) {
      await showCode(deps, ctx, view, begun, refusedBy(ctx, error));
    }
  });
}

/** For a page that is shown: is there a sign-in, and may people register in it? */
function whileOpen(deps: PageDeps, shows: (ctx: Context, view: InteractionView) => Promise<void>): Shows {
  return async (ctx) => {
    const view = await readInteraction(deps, ctx);
    if (view === undefined) return;
    if (view.finished) await goOn(deps, ctx);
    else if (view.prompt === 'consent') leadTo(ctx, `/interaction/${view.uid}`);
    else {
      await refuseWhereClosed(deps, view);
      await shows(ctx, view);
    }
  };
}

async function refuseWhereClosed(deps: PageDeps, view: InteractionView): Promise<void> {
  if (!(await mayRegister(deps, view))) throw new Refused('not-found', { detail: 'no registration here' });
}

async function goToCode(
  deps: PageDeps,
  ctx: Context,
  view: InteractionView,
  registration: Registration,
): Promise<void> {
  const begun = { registration, sentAt: deps.identity.clock.now().getTime() };
  await deps.interactions.keep(ctx.req, ctx.res, { ...view.kept, registration: begun });
  leadTo(ctx, `/interaction/${view.uid}/register/code`);
}

/** Whoever comes to the last step without the first begins with the first. */
function backTo(ctx: Context, view: InteractionView): void {
  leadTo(ctx, `/interaction/${view.uid}/register`);
}

function leadTo(ctx: Context, page: string): void {
  ctx.redirect(page);
  ctx.status = 303;
}

function begunIn({ kept }: InteractionView): Begun | undefined {
  return kept.registration as unknown as Begun | undefined;
}

function refusedBy(ctx: Context, error: unknown, words: { minimum?: number } = {}) {
  if (!(error instanceof Refused)) throw error;
  if (error.retryAfter !== undefined) ctx.set('Retry-After', String(error.retryAfter));
  return { alert: alertFor(error, words), status: statusFor(error) };
}

async function showForm(
  deps: PageDeps,
  ctx: Context,
  view: InteractionView,
  state: FormState,
): Promise<void> {
  sendPage(ctx, deps.views, {
    status: state.status ?? 200,
    view: 'register',
    languages: view.uiLocales,
    brand: await brandOf(deps.identity, deps.views, view),
    formTargets: [view.redirectUri],
    data: {
      ...forApp(deps, ctx, view),
      email: state.email ?? '',
      name: state.name ?? '',
      minimum: deps.passwordMinimum,
      alert: state.alert,
      token: deps.forms.tokenFor(ctx, interactionOf(ctx)),
    },
  });
}

async function showCode(
  deps: PageDeps,
  ctx: Context,
  view: InteractionView,
  begun: Begun,
  state: { alert?: Alert; status?: number } = {},
): Promise<void> {
  sendPage(ctx, deps.views, {
    status: state.status ?? 200,
    view: 'register-code',
    languages: view.uiLocales,
    brand: await brandOf(deps.identity, deps.views, view),
    formTargets: [view.redirectUri],
    data: {
      uid: view.uid,
      email: begun.registration.email,
      alert: state.alert,
      token: deps.forms.tokenFor(ctx, interactionOf(ctx)),
    },
  });
}
