/**
 * Opening an account on the way to an app: address and password, then the code from the email. Nothing on
 * these pages tells whether an address has an account already; its owner is told by email.
 */
import { Refused } from '../../core/refused.ts';
import { readableEmail } from '../../core/text.ts';
import { seeOther } from '../../http/views/send-page.ts';
import {
  beginRegistration,
  finishRegistration,
  type Registration,
  sendRegistrationCode,
} from '../../identity/self-service/register.ts';
import { FormRefused, type Refusal } from '../shared/alert.ts';
import { emailIn, lineIn } from '../shared/form-fields.ts';
import { proven } from './complete.ts';
import type { SignInPage, SignInStep, Step } from './guards.ts';
import { renderInteraction } from './render-interaction.ts';

/** Milliseconds before another email is sent. */
const RESEND_AFTER = 30_000;

/** What waits with the interaction between the steps. */
type Begun = {
  readonly registration: Registration;
  /** Epoch milliseconds. */
  readonly sentAt: number;
};

export const register: SignInPage = (step, refusal) => {
  const { deps, view, form } = step;
  const email = form.get('email') ?? view.loginHint ?? '';
  const data = { email, name: form.get('name') ?? '', minimum: deps.passwordMinimum };
  return renderInteraction(step, 'register', data, refusal);
};

export const begin: SignInStep = async (step) => {
  const { deps, view, context, form } = step;
  const email = emailIn(form);
  const name = lineIn(form, 'name', 100);
  if (email === undefined) throw new FormRefused({ kind: 'invalid-address' });
  if (name === undefined) throw new FormRefused({ kind: 'invalid-fields' });
  const locale = view.uiLocales[0];
  const registration = await beginRegistration(deps.identity, {
    organization: view.organization,
    email,
    password: form.get('password') ?? '',
    claims: { ...(name !== '' && { name }), ...(locale !== undefined && { locale }) },
    minimum: deps.passwordMinimum,
    request: view.uid,
    context,
  });
  await goToCode(step, registration);
};

export const registerCode: SignInPage = onceBegun((step, { registration }, refusal) =>
  renderInteraction(step, 'register-code', { email: readableEmail(registration.email) }, refusal),
);

export const finish: SignInStep = onceBegun(async (step, { registration }) => {
  const { deps, view, context, form } = step;
  const { organization, uid: request } = view;
  const input = { organization, registration, code: form.get('code') ?? '', request, context };
  const account = await finishRegistration(deps.identity, input).catch(tellOwner);
  if (account === undefined) throw new Refused('code-refused');
  await proven(step, { account, proofs: ['otp'], remember: false });
});

/** Who has proved the address may hear that it has an account at a legacy system. */
function tellOwner(error: unknown): never {
  const exists = error instanceof Refused && error.reason === 'account-exists';
  throw exists ? new FormRefused({ kind: 'account-exists' }) : error;
}

/** Another email, not at once: the first one is usually on its way. */
export const resend: SignInStep = onceBegun(async (step, { registration, sentAt }) => {
  const { deps, view, context } = step;
  const { organization, uid: request } = view;
  const wait = sentAt + RESEND_AFTER - deps.identity.clock.now().getTime();
  if (wait > 0) throw new Refused('too-many-requests', { retryAfter: Math.ceil(wait / 1000) });
  await sendRegistrationCode(deps.identity, { organization, registration, request, context });
  await goToCode(step, registration);
});

/** The last step without the first leads to the first. */
function onceBegun(act: (step: Step, begun: Begun, refusal?: Refusal) => Promise<void>): SignInPage {
  return async (step, refusal) => {
    const { kept, uid } = step.view;
    const begun = kept.registration as Begun | undefined;
    if (begun === undefined) seeOther(step.ctx, `/interaction/${uid}/register`);
    else await act(step, begun, refusal);
  };
}

async function goToCode({ deps, ctx, view }: Step, registration: Registration): Promise<void> {
  const begun = { registration, sentAt: deps.identity.clock.now().getTime() };
  await deps.interactions.keep(ctx.req, { ...view.kept, registration: begun });
  seeOther(ctx, `/interaction/${view.uid}/register/code`);
}
