/** Who goes on: the person who is signed in here, or another one. */
import { leadOn } from '../shared/lead-on.ts';
import { loginShown } from '../shared/login-shown.ts';
import { accountIn, type FlowState, flowStateOf, goTo } from './flow-state.ts';
import type { SignInStep, Step } from './guards.ts';
import { renderInteraction } from './render-interaction.ts';

export async function showChoice(step: Step): Promise<void> {
  const account = await accountIn(step, step.view.accountId);
  const { claims } = account ?? {};
  const parted = [claims?.given_name, claims?.family_name].filter((part) => part !== undefined).join(' ');
  const login = loginShown(account);
  const name = claims?.name ?? (parted === '' ? login : parted);
  await renderInteraction(step, 'choose-account', { name, login });
}

/** The one who is signed in. */
export const chooseAccount: SignInStep = async (step) => {
  const { deps, ctx, view } = step;
  if (view.prompt !== 'select_account' || view.accountId === undefined) return goTo(step, flowStateOf(view));
  const address = await deps.interactions.finishChoice(ctx.req, ctx.res);
  await leadOn(deps, ctx, { view, address });
};

/** One step back, or to the beginning for another account. What was proven is forgotten. */
export const anotherMethod: SignInStep = (step) =>
  goTo(step, step.form.get('to') === 'account' ? { another: true } : stepBack(flowStateOf(step.view)));

function stepBack(flow: FlowState): FlowState {
  const { code, link, proven, login, ...rest } = flow;
  if (code !== undefined) {
    // Where the code was the second proof there is no other: back means the beginning.
    const more = { ...(link && { link }), ...(login !== undefined && { login }) };
    return code.purpose === 'hosted-step-up' ? rest : { ...rest, ...more };
  }
  return rest;
}
