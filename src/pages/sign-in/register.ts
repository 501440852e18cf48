/**
 * Opening an account on the way to an app: address and password, then the code from the letter. Nothing on
 * these pages tells whether an address has an account already; its owner is told by letter.
 */
import type { Context } from 'koa';
import { Refused } from '../../core/refused.ts';
import type { Shows, Submits } from '../../http/forms/guards.ts';
import { sendPage } from '../../http/views/send-page.ts';
import type { Registration } from '../../identity/self-service/register.ts';
import {
  beginRegistration,
  finishRegistration,
  sendRegistrationCode,
} from '../../identity/self-service/register.ts';
import type { InteractionView } from '../../oidc/contract.ts';
import type { Alert } from '../shared/alert.ts';
import { alertFor, statusFor } from '../shared/alert.ts';
import { brandOf } from '../shared/branding.ts';
import { forApp } from '../shared/client-label.ts';
import type { PageParts } from '../shared/deps.ts';
import { codeIn, emailIn, lineIn } from '../shared/form-fields.ts';
import { readInteraction } from '../shared/interaction.ts';
import { interactionOf } from '../shared/interaction-of.ts';
import { originOf } from '../shared/request-origin.ts';
import { proven } from './complete.ts';
import { duringSignIn, goOn } from './guard.ts';
import { mayRegister } from './may-register.ts';

/** Milliseconds before another letter is sent. */
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

export function register(parts: PageParts): Shows {
  return whileOpen(parts, (ctx, view) => showForm(parts, ctx, view, { email: view.loginHint ?? '' }));
}

export function begin(parts: PageParts): Submits {
  return duringSignIn(parts, async (ctx, form, view) => {
    await refuseWhereClosed(parts, view);
    const entered = { email: form.get('email') ?? '', name: form.get('name') ?? '' };
    const email = emailIn(form);
    const name = lineIn(form, 'name', 100);
    const minimum = parts.passwordMinimum;
    try {
      if (email === undefined || name === undefined) {
        const kind = email === undefined ? 'invalid-address' : 'invalid-fields';
        await showForm(parts, ctx, view, { ...entered, alert: { kind }, status: 400 });
        return;
      }
      const locale = view.uiLocales[0];
      const registration = await beginRegistration(parts.identity, {
        organization: view.organization,
        email,
        password: form.get('password') ?? '',
        claims: { ...(name !== '' && { name }), ...(locale !== undefined && { locale }) },
        minimum,
        request: view.uid,
        origin: originOf(ctx, view),
      });
      await goToCode(parts, ctx, view, registration);
    } catch (error) {
      const refused = refusedBy(ctx, error, { minimum });
      await showForm(parts, ctx, view, { ...entered, ...refused });
    }
  });
}

export function registerCode(parts: PageParts): Shows {
  return whileOpen(parts, async (ctx, view) => {
    const begun = begunIn(view);
    if (begun === undefined) backTo(ctx, view);
    else await showCode(parts, ctx, view, begun);
  });
}

export function finish(parts: PageParts): Submits {
  return duringSignIn(parts, async (ctx, form, view) => {
    await refuseWhereClosed(parts, view);
    const begun = begunIn(view);
    if (begun === undefined) {
      backTo(ctx, view);
      return;
    }
    try {
      const account = await finishRegistration(parts.identity, {
        organization: view.organization,
        registration: begun.registration,
        code: codeIn(form),
        request: view.uid,
        origin: originOf(ctx, view),
      });
      if (account === undefined) throw new Refused('code-refused');
      await proven(parts, ctx, view, { account, proofs: ['otp'], remember: false });
    } catch (error) {
      await showCode(parts, ctx, view, begun, refusedBy(ctx, error));
    }
  });
}

/** Another letter, not at once: the first one is usually on its way. */
export function resend(parts: PageParts): Submits {
  return duringSignIn(parts, async (ctx, _form, view) => {
    await refuseWhereClosed(parts, view);
    const begun = begunIn(view);
    if (begun === undefined) {
      backTo(ctx, view);
      return;
    }
    const { organization, uid: request } = view;
    const { registration } = begun;
    try {
      const wait = begun.sentAt + RESEND_AFTER - parts.identity.clock.now().getTime();
      if (wait > 0) throw new Refused('too-many-requests', { retryAfter: Math.ceil(wait / 1000) });
      const origin = originOf(ctx, view);
      await sendRegistrationCode(parts.identity, { organization, registration, request, origin });
      await goToCode(parts, ctx, view, registration);
    } catch (error) {
      await showCode(parts, ctx, view, begun, refusedBy(ctx, error));
    }
  });
}

/** For a page that is shown: is there a sign-in, and may people register in it? */
function whileOpen(parts: PageParts, shows: (ctx: Context, view: InteractionView) => Promise<void>): Shows {
  return async (ctx) => {
    const view = await readInteraction(parts, ctx);
    if (view === undefined) return;
    if (view.finished) await goOn(parts, ctx);
    else if (view.prompt === 'consent') leadTo(ctx, `/interaction/${view.uid}`);
    else {
      await refuseWhereClosed(parts, view);
      await shows(ctx, view);
    }
  };
}

async function refuseWhereClosed(parts: PageParts, view: InteractionView): Promise<void> {
  if (!(await mayRegister(parts, view))) throw new Refused('not-found', { detail: 'no registration here' });
}

async function goToCode(
  parts: PageParts,
  ctx: Context,
  view: InteractionView,
  registration: Registration,
): Promise<void> {
  const begun = { registration, sentAt: parts.identity.clock.now().getTime() };
  await parts.interactions.keep(ctx.req, ctx.res, { ...view.kept, registration: begun });
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
  parts: PageParts,
  ctx: Context,
  view: InteractionView,
  state: FormState,
): Promise<void> {
  sendPage(ctx, parts.views, {
    status: state.status ?? 200,
    view: 'register',
    languages: view.uiLocales,
    brand: await brandOf(parts.identity, parts.views, view),
    formTargets: [view.redirectUri],
    data: {
      ...forApp(parts, ctx, view),
      email: state.email ?? '',
      name: state.name ?? '',
      minimum: parts.passwordMinimum,
      alert: state.alert,
      token: parts.forms.tokenFor(ctx, interactionOf(ctx)),
    },
  });
}

async function showCode(
  parts: PageParts,
  ctx: Context,
  view: InteractionView,
  begun: Begun,
  state: { alert?: Alert; status?: number } = {},
): Promise<void> {
  sendPage(ctx, parts.views, {
    status: state.status ?? 200,
    view: 'register-code',
    languages: view.uiLocales,
    brand: await brandOf(parts.identity, parts.views, view),
    formTargets: [view.redirectUri],
    data: {
      uid: view.uid,
      email: begun.registration.email,
      alert: state.alert,
      token: parts.forms.tokenFor(ctx, interactionOf(ctx)),
    },
  });
}
