/**
 * The page that a sign-in has come to: what is stored with the interaction decides, not the address. And who goes on:
 * the person who is signed in here, or another one.
 */
import { Refused } from '../../core/refused.ts';
import { seeOther } from '../../http/views/send-page.ts';
import { leadOn } from '../shared/lead-on.ts';
import { loginShown } from '../shared/login-shown.ts';
import { showCode } from './code.ts';
import { halfProven } from './complete.ts';
import { accountIn, type FlowState, flowStateOf, goTo, storeFlowState } from './flow-state.ts';
import type { SignInPage, SignInStep, Step } from './guards.ts';
import { showLink } from './link-account.ts';
import { signInMethodsOf } from './methods.ts';
import { showSignIn } from './password.ts';
import { renderInteraction } from './render-interaction.ts';
import { showSecondProof } from './second-factor.ts';

/** Where the provider sends the browser, with a cookie that belongs to one interaction. */
export const showStep: SignInPage = (step, refusal) => {
  const { view } = step;
  const { another, code, link, registering } = flowStateOf(view);
  if (view.prompt === 'create' && registering !== true) return offerRegistration(step);
  if (view.prompt === 'select_account' && view.accountId !== undefined && another !== true)
    return showChoice(step);
  if (code !== undefined) return showCode(step, refusal);
  if (link !== undefined) return showLink(step, refusal);
  return halfProven(view) === undefined ? showSignIn(step, refusal) : showSecondProof(step, refusal);
};

/** Back to the app without signing in. */
export const cancel: SignInStep = async (step) => {
  await backToApp(step, {
    // RFC 9470, 5: the app asked for two proofs, and the account has one.
    error: step.form.get('reason') === 'unmet' ? 'unmet_authentication_requirements' : 'access_denied',
    description: 'The person went back without signing in.',
  });
};

async function backToApp({ deps, ctx, view }: Step, error: { error: string; description: string }) {
  const address = await deps.interactions.abort(ctx.req, error);
  await leadOn(deps, ctx, { view, address });
}

/* ------------------------------------------------------------------ prompt=create */

/**
 * The registration page, once: its way back leads to the sign-in. Another account would end the sign-in of the one
 * that is here, so that its person is asked first.
 */
async function offerRegistration(step: Step): Promise<void> {
  const { deps, ctx, view } = step;
  const flow = flowStateOf(view);
  if (!(await signInMethodsOf(deps, view)).registers) {
    // Nothing was asked of a person yet: such a client may be there to have this server lead to it (RFC 9700, 4.11.2).
    const isForeign = view.client.registered || view.client.unregistered !== undefined;
    if (isForeign && view.accountId === undefined)
      throw new Refused('not-found', { detail: 'no registration here' });
    const description = 'People cannot open accounts on the way to this client.';
    return backToApp(step, { error: 'access_denied', description });
  }
  if (view.accountId !== undefined && flow.another !== true) return showChoice(step);
  await storeFlowState(step, { ...flow, registering: true });
  seeOther(ctx, `/interaction/${view.uid}/register`);
}

/* ------------------------------------------------------------------ who goes on */

async function showChoice(step: Step): Promise<void> {
  const account = await accountIn(step, step.view.accountId);
  const { claims } = account ?? {};
  const parted = [claims?.given_name, claims?.family_name].filter((part) => part !== undefined).join(' ');
  const login = loginShown(account);
  const name = claims?.name ?? (parted === '' ? login : parted);
  await renderInteraction(step, 'choose-account', { name, login, creates: step.view.prompt === 'create' });
}

/** The one who is signed in. */
export const chooseAccount: SignInStep = async (step) => {
  const { deps, ctx, view } = step;
  if (!['select_account', 'create'].includes(view.prompt) || view.accountId === undefined)
    return goTo(step, flowStateOf(view));
  const address = await deps.interactions.finishChoice(ctx.req);
  await leadOn(deps, ctx, { view, address });
};

/** One step back, or to the beginning for another account. What was proven is forgotten. */
export const anotherMethod: SignInStep = (step) => {
  const flow = flowStateOf(step.view);
  const { registering = false } = flow;
  return goTo(step, step.form.get('to') === 'account' ? { another: true, registering } : stepBack(flow));
};

function stepBack(flow: FlowState): FlowState {
  const { code, link, proven, login, ...rest } = flow;
  if (code !== undefined) {
    // Where the code was the second proof there is no other: back means the beginning.
    const more = { ...(link && { link }), ...(login !== undefined && { login }) };
    return code.purpose === 'hosted-step-up' ? rest : { ...rest, ...more };
  }
  return rest;
}
