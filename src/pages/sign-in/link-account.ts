/**
 * A person came from an upstream with the address of an account here, and the upstream's word does not suffice
 * (identity/upstream/link-identity.ts): the page asks once for a factor of our own, then links the two. For
 * an unverified address only a code sent to it will do.
 */

import type { Context } from 'koa';
import { findAccount } from '../../identity/accounts/find-account.ts';
import { noteSignIn } from '../../identity/audit/audit.ts';
import { linkProven } from '../../identity/sign-in/with-upstream.ts';
import type { AccountRecord } from '../../model/account.ts';
import type { Amr } from '../../model/amr.ts';
import type { InteractionView } from '../../oidc/contract.ts';
import type { PageDeps } from '../shared/deps.ts';
import { requestContext } from '../shared/request-context.ts';
import { proven } from './complete.ts';
import { flowStateOf, type PendingLink, storeFlowState } from './flow-state.ts';
import { upstreamTitle } from './methods.ts';
import { type SignInState, showSignIn } from './password.ts';
import { renderInteraction } from './render-interaction.ts';

export async function showLink(
  deps: PageDeps,
  ctx: Context,
  view: InteractionView,
  state: SignInState = {},
): Promise<void> {
  const { link, ...rest } = flowStateOf(view);
  const { organization } = view;
  const account = link && (await findAccount(deps.identity, { id: link.accountId, organization }));
  if (account?.status !== 'active') {
    await storeFlowState(deps, ctx, view, rest);
    await showSignIn(deps, ctx, view, state);
    return;
  }
  await renderInteraction(deps, ctx, view, {
    status: state.status,
    view: 'confirm-person',
    alert: state.alert,
    data: {
      kind: 'link',
      provider: upstreamTitle(deps, link?.provider ?? ''),
      account: account.email ?? '',
      password: account.emailVerified,
      code: true,
    },
  });
}

/** The person has proven the account. Another person who signs in while a link waits is not linked. */
export async function finishLink(
  deps: PageDeps,
  ctx: Context,
  view: InteractionView,
  { link, account, proof }: { link: PendingLink; account: AccountRecord; proof: Amr },
): Promise<void> {
  if (account.id !== link.accountId) throw new Error('The proof is of another account than the link.');
  const context = requestContext(ctx, view);
  const { organization } = view;
  const { person, accountId } = link;
  const linked = await linkProven(deps.identity, { organization, person, accountId, context });
  // A code wrote its line when it was spent.
  if (proof === 'pwd') await noteSignIn(deps.identity, { account: linked, context, factor: 'pwd' });
  const remember = flowStateOf(view).remember === true;
  await proven(deps, ctx, view, { account: linked, proofs: ['fed', proof], remember });
}
