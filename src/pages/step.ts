/** The page that a sign-in has come to: what is parked with the interaction decides, not the address. */
import type { Context } from 'koa';
import { findAccount } from '../identity/accounts.ts';
import type { InteractionView } from '../oidc/oidc.ts';
import { showChoice } from './choose-account.ts';
import { goOn } from './during-sign-in.ts';
import { halfProven } from './finish-sign-in.ts';
import { showLink } from './link-account.ts';
import type { PageParts } from './parts.ts';
import { progressOf } from './progress.ts';
import { showSecondProof } from './second-proof.ts';
import { type SignInState, showSignIn } from './sign-in.ts';
import { showCode } from './sign-in-code.ts';

export async function showStep(
  parts: PageParts,
  ctx: Context,
  view: InteractionView,
  state: SignInState = {},
): Promise<void> {
  const progress = progressOf(view);
  if (view.finished) return goOn(parts, ctx);
  if (view.prompt === 'select_account' && view.accountId !== undefined && progress.another !== true) {
    return showChoice(parts, ctx, view);
  }
  if (progress.code !== undefined) return showCode(parts, ctx, view, state);
  if (progress.link !== undefined) return showLink(parts, ctx, view, state);
  const half = halfProven(view);
  const account =
    half && (await findAccount(parts.identity, { id: half.accountId, organization: view.organization }));
  if (half !== undefined && account?.status === 'active') {
    return showSecondProof(parts, ctx, view, { ...state, account, proofs: half.proofs });
  }
  return showSignIn(parts, ctx, view, state);
}
