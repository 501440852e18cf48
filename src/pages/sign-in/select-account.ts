/** Who goes on: the person who is signed in here, or another one. */
import type { Context } from 'koa';
import { findAccount } from '../../identity/accounts/find-account.ts';
import type { InteractionView } from '../../oidc/contract.ts';
import type { PageDeps } from '../shared/deps.ts';
import { type FlowState, flowStateOf, goTo } from './flow-state.ts';
import type { SignInStep } from './guards.ts';
import { renderInteraction } from './render-interaction.ts';

export async function showChoice(deps: PageDeps, ctx: Context, view: InteractionView): Promise<void> {
  const account =
    view.accountId === undefined
      ? undefined
      : await findAccount(deps.identity, { id: view.accountId, organization: view.organization });
  const { claims } = account ?? {};
  const parted = [claims?.given_name, claims?.family_name].filter((part) => part !== undefined).join(' ');
  const login = account?.email ?? account?.username ?? '';
  await renderInteraction(deps, ctx, view, {
    view: 'choose-account',
    data: {
      name: claims?.name ?? (parted === '' ? login : parted),
      login,
    },
  });
}

/** The one who is signed in. */
export const chooseAccount: SignInStep = async (deps, ctx, view) => {
  if (view.prompt !== 'select_account' || view.accountId === undefined) {
    await goTo(deps, ctx, view, flowStateOf(view));
    return;
  }
  ctx.respond = false;
  await deps.interactions.finishChoice(ctx.req, ctx.res);
};

/** One step back, or to the beginning for another account. What was proven is forgotten. */
export const anotherMethod: SignInStep = async (deps, ctx, view, form) => {
  await goTo(deps, ctx, view, form.get('to') === 'account' ? { another: true } : stepBack(flowStateOf(view)));
};

function stepBack(progress: FlowState): FlowState {
  const { code, link, proven, login, ...rest } = progress;
  if (code !== undefined) {
    // Where the code was the second proof there is no other: back means the beginning.
    const more = { ...(link && { link }), ...(login !== undefined && { login }) };
    return code.purpose === 'hosted-step-up' ? rest : { ...rest, ...more };
  }
  return rest;
}
