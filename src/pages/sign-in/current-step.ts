/** The page that a sign-in has come to: what is parked with the interaction decides, not the address. */
import type { Context } from 'koa';
import { findAccount } from '../../identity/accounts/find-account.ts';
import type { InteractionView } from '../../oidc/contract.ts';
import type { PageDeps } from '../shared/deps.ts';
import { showCode } from './code.ts';
import { halfProven } from './complete.ts';
import { progressOf } from './flow-state.ts';
import { goOn } from './guard.ts';
import { showLink } from './link-account.ts';
import { type SignInState, showSignIn } from './password.ts';
import { showSecondProof } from './second-factor.ts';
import { showChoice } from './select-account.ts';

export async function showStep(
  deps: PageDeps,
  ctx: Context,
  view: InteractionView,
  state: SignInState = {},
): Promise<void> {
  const progress = progressOf(view);
  if (view.finished) return goOn(deps, ctx);
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
