/** The page that a sign-in has come to: what is stored with the interaction decides, not the address. */
import type { Context } from 'koa';
import { findAccount } from '../../identity/accounts/find-account.ts';
import type { InteractionView } from '../../oidc/contract.ts';
import type { PageDeps } from '../shared/deps.ts';
import { showCode } from './code.ts';
import { halfProven } from './complete.ts';
import { flowStateOf } from './flow-state.ts';
import type { SignInStep } from './guards.ts';
import { showLink } from './link-account.ts';
import { type SignInState, showSignIn } from './password.ts';
import { showSecondProof } from './second-factor.ts';
import { showChoice } from './select-account.ts';

/** Where the provider sends the browser, with a cookie that belongs to one interaction. */
export const interaction: SignInStep = (deps, ctx, view) => showStep(deps, ctx, view);

export async function showStep(
  deps: PageDeps,
  ctx: Context,
  view: InteractionView,
  state: SignInState = {},
): Promise<void> {
  const progress = flowStateOf(view);
  if (view.prompt === 'select_account' && view.accountId !== undefined && progress.another !== true) {
    return showChoice(deps, ctx, view);
  }
  if (progress.code !== undefined) return showCode(deps, ctx, view, state);
  if (progress.link !== undefined) return showLink(deps, ctx, view, state);
  const half = halfProven(view);
  const account =
    half && (await findAccount(deps.identity, { id: half.accountId, organization: view.organization }));
  if (half !== undefined && account?.status === 'active') {
    return showSecondProof(deps, ctx, view, { ...state, account, proofs: half.proofs });
  }
  return showSignIn(deps, ctx, view, state);
}

/** Back to the app without signing in. */
export const cancel: SignInStep = async (deps, ctx, _view, form) => {
  ctx.respond = false;
  await deps.interactions.abort(ctx.req, ctx.res, {
    // RFC 9470, 5: the app asked for two proofs, and the account has one.
    error: form.get('reason') === 'unmet' ? 'unmet_authentication_requirements' : 'access_denied',
    description: 'The person went back without signing in.',
  });
};
