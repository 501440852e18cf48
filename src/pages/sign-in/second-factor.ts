/**
 * The second factor (step-up, MFA) where an app asks for two: the password, or a code by email; and the page for
 * a person who has only one to give. The same form answers for the link page: both are about one account.
 */

import type { Context } from 'koa';
import { Refused } from '../../core/refused.ts';
import { findAccount } from '../../identity/accounts/find-account.ts';
import { noteSignIn } from '../../identity/audit/audit.ts';
import { checkPassword } from '../../identity/sign-in/reauthenticate.ts';
import type { AccountRecord } from '../../model/account.ts';
import type { Amr } from '../../model/amr.ts';
import type { InteractionView } from '../../oidc/contract.ts';
import { refusedBy } from '../shared/alert.ts';
import type { PageDeps } from '../shared/deps.ts';
import { requestContext } from '../shared/request-context.ts';
import { halfProven, nextProof, proven } from './complete.ts';
import { flowStateOf, goTo } from './flow-state.ts';
import type { SignInStep } from './guards.ts';
import { finishLink, showLink } from './link-account.ts';
import type { SignInState } from './password.ts';
import { renderInteraction } from './render-interaction.ts';

export async function showSecondProof(
  deps: PageDeps,
  ctx: Context,
  view: InteractionView,
  state: SignInState & { readonly account: AccountRecord; readonly proofs: readonly Amr[] },
): Promise<void> {
  const next = nextProof(state.proofs, state.account);
  await renderInteraction(deps, ctx, view, {
    status: state.status,
    view: next === undefined ? 'step-up-impossible' : 'confirm-person',
    alert: state.alert,
    data: {
      kind: next === 'pwd' ? 'second-password' : 'second-code',
      organization: view.organization,
      lacks: state.proofs.includes('pwd') ? 'address' : 'password',
      account: state.account.email ?? state.account.username ?? '',
      password: next === 'pwd',
      code: next === 'otp',
    },
  });
}

/** The password of a person already known: the second proof, or what links an upstream identity. */
export const confirmPassword: SignInStep = async (deps, ctx, view, form) => {
  const { link, remember = false } = flowStateOf(view);
  const accountId = link?.accountId ?? halfProven(view)?.accountId;
  const account =
    accountId === undefined
      ? undefined
      : await findAccount(deps.identity, { id: accountId, organization: view.organization });
  if (account?.status !== 'active') {
    await goTo(deps, ctx, view, {});
    return;
  }
  const context = requestContext(ctx, view);
  try {
    // A password set before the address was proven says nothing about its owner (F5).
    if (link !== undefined && !account.emailVerified) throw new Refused('wrong-password');
    const password = form.get('password') ?? '';
    const right = await checkPassword(deps.identity, { accountId: account.id, password, context });
    if (!right) throw new Refused('wrong-password');
  } catch (error) {
    // The page that the form was on, with what was wrong.
    const state = refusedBy(ctx, error);
    if (link !== undefined) await showLink(deps, ctx, view, state);
    else {
      const proofs = halfProven(view)?.proofs ?? [];
      await showSecondProof(deps, ctx, view, { ...state, account, proofs });
    }
    return;
  }
  if (link !== undefined) await finishLink(deps, ctx, view, { link, account, proof: 'pwd' });
  else {
    await noteSignIn(deps.identity, { account, context, factor: 'pwd' });
    await proven(deps, ctx, view, { account, proofs: ['pwd'], remember });
  }
};
