/**
 * The second factor (step-up, MFA) where an app asks for two: the password, or a code by email; and the page for
 * a person who has only one to give. The same form answers for the link page: in both, the account is settled.
 */
import type { Context } from 'koa';
import { Refused } from '../../core/refused.ts';
import type { Submits } from '../../http/forms/guards.ts';
import { sendPage } from '../../http/views/send-page.ts';
import { findAccount } from '../../identity/accounts/find-account.ts';
import { noteSignIn } from '../../identity/audit/record-sign-in.ts';
import { checkPassword } from '../../identity/sign-in/reauthenticate.ts';
import type { AccountRecord } from '../../model/account.ts';
import type { InteractionView } from '../../oidc/contract.ts';
import { alertFor, statusFor } from '../shared/alert.ts';
import { brandOf } from '../shared/branding.ts';
import { forApp } from '../shared/client-label.ts';
import type { PageDeps } from '../shared/deps.ts';
import { interactionOf } from '../shared/interaction-of.ts';
import { originOf } from '../shared/request-origin.ts';
import { halfProven, nextProof, proven } from './complete.ts';
import { goTo, type Proof, progressOf } from './flow-state.ts';
import { duringSignIn } from './guard.ts';
import { finishLink, showLink } from './link-account.ts';
import type { SignInState } from './password.ts';

export async function showSecondProof(
  deps: PageDeps,
  ctx: Context,
  view: InteractionView,
  state: SignInState & { readonly account: AccountRecord; readonly proofs: readonly Proof[] },
): Promise<void> {
  const next = nextProof(state.proofs, state.account);
  sendPage(ctx, deps.views, {
    status: state.status ?? 200,
    view: next === undefined ? 'step-up-impossible' : 'confirm-person',
    languages: view.uiLocales,
    brand: await brandOf(deps.identity, deps.views, view),
    formTargets: [view.redirectUri],
    data: {
      ...forApp(deps, ctx, view),
      kind: next === 'pwd' ? 'second-password' : 'second-code',
      organization: view.organization,
      lacks: state.proofs.includes('pwd') ? 'address' : 'password',
      account: state.account.email ?? state.account.username ?? '',
      password: next === 'pwd',
      code: next === 'otp',
      alert: state.alert,
      token: deps.forms.tokenFor(ctx, interactionOf(ctx)),
    },
  });
}

/** A password of somebody who is known: the second proof, or what links an upstream identity. */
export function confirmPassword(deps: PageDeps): Submits {
  return duringSignIn(deps, async (ctx, form, view) => {
    const { link, remember = false } = progressOf(view);
    const accountId = link?.accountId ?? halfProven(view)?.accountId;
    const account =
      accountId === undefined
        ? undefined
        : await findAccount(deps.identity, { id: accountId, organization: view.organization });
    if (account?.status !== 'active') {
      await goTo(deps, ctx, view, {});
      return;
    }
    const context = originOf(ctx, view);
    try {
      // A password that somebody set before the address was proven says nothing about the owner (F5).
      if (link !== undefined && !account.emailVerified) throw new Refused('wrong-password');
      const password = form.get('password') ?? '';
      const right = await checkPassword(deps.identity, { accountId: account.id, password, context });
      if (!right) throw new Refused('wrong-password');
    } catch (error) {
      if (!(error instanceof Refused)) throw error;
      await askAgain(deps, ctx, view, { account, refusal: error });
      return;
    }
    if (link !== undefined) await finishLink(deps, ctx, view, { link, account, proof: 'pwd' });
    else {
      await noteSignIn(deps.identity, { account, context, factor: 'pwd' });
      await proven(deps, ctx, view, { account, proofs: ['pwd'], remember });
    }
  });
}

/** The page that the form was on, with what was wrong. */
async function askAgain(
  deps: PageDeps,
  ctx: Context,
  view: InteractionView,
  { account, refusal }: { account: AccountRecord; refusal: Refused },
): Promise<void> {
  if (refusal.retryAfter !== undefined) ctx.set('Retry-After', String(refusal.retryAfter));
  const state = { alert: alertFor(refusal), status: statusFor(refusal) };
  if (progressOf(view).link !== undefined) await showLink(deps, ctx, view, state);
  else {
    const proofs = halfProven(view)?.proofs ?? [];
    await showSecondProof(deps, ctx, view, { ...state, account, proofs });
  }
}
