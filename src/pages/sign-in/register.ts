/**
 * Opening an account on the way to an app: address and password, then the code from the email. Nothing on
 * these pages tells whether an address has an account already; its owner is told by email.
 */
import type { Context } from 'koa';
import { Refused } from '../../core/refused.ts';
import type { FormFields } from '../../http/forms/read-form.ts';
import { seeOther } from '../../http/views/send-page.ts';
import {
  beginRegistration,
  finishRegistration,
  type Registration,
  sendRegistrationCode,
} from '../../identity/self-service/register.ts';
import type { InteractionView } from '../../oidc/contract.ts';
import { type Alert, refusedBy } from '../shared/alert.ts';
import type { PageDeps } from '../shared/deps.ts';
import { codeIn, emailIn, lineIn } from '../shared/form-fields.ts';
import { requestContext } from '../shared/request-context.ts';
import { proven } from './complete.ts';
import type { SignInStep } from './guards.ts';
import { renderInteraction } from './render-interaction.ts';

/** Milliseconds before another email is sent. */
const RESEND_AFTER = 30_000;

/** What waits with the interaction between the steps. */
type Begun = {
  readonly registration: Registration;
  /** Epoch milliseconds. */
  readonly sentAt: number;
};

interface FormState {
  readonly email?: string;
  readonly name?: string;
  readonly alert?: Alert;
  readonly status?: number;
}

export const register: SignInStep = (deps, ctx, view) =>
  showForm(deps, ctx, view, { email: view.loginHint ?? '' });

export const begin: SignInStep = async (deps, ctx, view, form) => {
  const entered = { email: form.get('email') ?? '', name: form.get('name') ?? '' };
  const email = emailIn(form);
  const name = lineIn(form, 'name', 100);
  const minimum = deps.passwordMinimum;
  if (email === undefined || name === undefined) {
    const kind = email === undefined ? 'invalid-address' : 'invalid-fields';
    await showForm(deps, ctx, view, { ...entered, alert: { kind }, status: 400 });
    return;
  }
  try {
    const locale = view.uiLocales[0];
    const registration = await beginRegistration(deps.identity, {
      organization: view.organization,
      email,
      password: form.get('password') ?? '',
      claims: { ...(name !== '' && { name }), ...(locale !== undefined && { locale }) },
      minimum,
      request: view.uid,
      context: requestContext(ctx, view),
    });
    await goToCode(deps, ctx, view, registration);
  } catch (error) {
    await showForm(deps, ctx, view, { ...entered, ...refusedBy(ctx, error, { minimum }) });
  }
};

export const registerCode: SignInStep = onceBegun((deps, ctx, view, { begun }) =>
  showCode(deps, ctx, view, begun),
);

export const finish: SignInStep = onceBegun(async (deps, ctx, view, { begun, form }) => {
  try {
    const account = await finishRegistration(deps.identity, {
      organization: view.organization,
      registration: begun.registration,
      code: codeIn(form),
      request: view.uid,
      context: requestContext(ctx, view),
    });
    if (account === undefined) throw new Refused('code-refused');
    await proven(deps, ctx, view, { account, proofs: ['otp'], remember: false });
  } catch (error) {
    await showCode(deps, ctx, view, begun, refusedBy(ctx, error));
  }
});

/** Another email, not at once: the first one is usually on its way. */
export const resend: SignInStep = onceBegun(async (deps, ctx, view, { begun: { registration, sentAt } }) => {
  const { organization, uid: request } = view;
  try {
    const wait = sentAt + RESEND_AFTER - deps.identity.clock.now().getTime();
    if (wait > 0) throw new Refused('too-many-requests', { retryAfter: Math.ceil(wait / 1000) });
    const context = requestContext(ctx, view);
    await sendRegistrationCode(deps.identity, { organization, registration, request, context });
    await goToCode(deps, ctx, view, registration);
  } catch (error) {
    await showCode(deps, ctx, view, { registration, sentAt }, refusedBy(ctx, error));
  }
});

/** The last step without the first leads to the first. */
function onceBegun(
  step: (
    deps: PageDeps,
    ctx: Context,
    view: InteractionView,
    state: { begun: Begun; form: FormFields },
  ) => Promise<void>,
): SignInStep {
  return async (deps, ctx, view, form) => {
    const begun = begunIn(view);
    if (begun === undefined) seeOther(ctx, `/interaction/${view.uid}/register`);
    else await step(deps, ctx, view, { begun, form });
  };
}

async function goToCode(
  deps: PageDeps,
  ctx: Context,
  view: InteractionView,
  registration: Registration,
): Promise<void> {
  const begun = { registration, sentAt: deps.identity.clock.now().getTime() };
  await deps.interactions.keep(ctx.req, ctx.res, { ...view.kept, registration: begun });
  seeOther(ctx, `/interaction/${view.uid}/register/code`);
}

function begunIn({ kept }: InteractionView): Begun | undefined {
  return kept.registration as Begun | undefined;
}

function showForm(deps: PageDeps, ctx: Context, view: InteractionView, state: FormState): Promise<void> {
  const { email = '', name = '', ...shown } = state;
  const data = { email, name, minimum: deps.passwordMinimum };
  return renderInteraction(deps, ctx, view, { view: 'register', ...shown, data });
}

function showCode(
  deps: PageDeps,
  ctx: Context,
  view: InteractionView,
  begun: Begun,
  state: { alert?: Alert; status?: number } = {},
): Promise<void> {
  const data = { email: begun.registration.email };
  return renderInteraction(deps, ctx, view, { view: 'register-code', ...state, data });
}
