/**
 * The first page of a sign-in: identifier and password at once, or the identifier alone, with the other ways
 * below. Every way to be refused (unknown, wrong, blocked, no password) has the same words, status and work.
 */
import type { Context } from 'koa';
import { Refused } from '../../core/refused.ts';
import { findAccount } from '../../identity/accounts/find-account.ts';
import { signInWithPassword } from '../../identity/sign-in/with-password.ts';
import type { InteractionView } from '../../oidc/contract.ts';
import { type Alert, refusedBy } from '../shared/alert.ts';
import type { PageDeps } from '../shared/deps.ts';
import { requestContext } from '../shared/request-context.ts';
import { proven } from './complete.ts';
import { flowStateOf, goTo } from './flow-state.ts';
import type { SignInStep } from './guards.ts';
import { mayRegister, signInMethodsOf } from './methods.ts';
import { renderInteraction } from './render-interaction.ts';

/** What the person had entered when a try was refused. */
export interface SignInState {
  readonly login?: string;
  readonly remember?: boolean;
  readonly alert?: Alert | undefined;
  readonly status?: number;
}

export async function showSignIn(
  deps: PageDeps,
  ctx: Context,
  view: InteractionView,
  state: SignInState = {},
): Promise<void> {
  const methods = await signInMethodsOf(deps, view);
  const progress = flowStateOf(view);
  const login = state.login ?? progress.login ?? (await likelyLogin(deps, view));
  const nameOnly = !methods.password || (methods.nameFirst && progress.login === undefined);
  await renderInteraction(deps, ctx, view, {
    status: state.status,
    view: nameOnly ? 'sign-in-name' : 'sign-in',
    alert: state.alert,
    data: {
      clientId: view.client.clientId,
      again: view.accountId !== undefined && view.prompt === 'login' && progress.another !== true,
      login,
      fixed: methods.nameFirst && progress.login !== undefined,
      remember: state.remember ?? progress.remember ?? false,
      next: methods.password ? 'name' : 'code/send',
      code: methods.code,
      // Where upstreams are all there is, nothing of ours can be entered.
      named: methods.password || methods.code,
      upstreams: methods.upstreams,
      organization: view.organization,
      registers: await mayRegister(deps, view),
      forgets: methods.password,
      // What an upstream did is no fault of the fields.
      elsewhere: state.alert?.kind.startsWith('upstream-') === true,
    },
  });
}

/** The identifier of a page that begins with it. Whether it has an account shows nowhere. */
export const giveName: SignInStep = async (deps, ctx, view, form) => {
  const login = (form.get('login') ?? '').trim();
  if (login === '')
    await showSignIn(deps, ctx, view, { login, alert: { kind: 'login-needed' }, status: 400 });
  else await goTo(deps, ctx, view, { ...flowStateOf(view), login });
};

export const signIn: SignInStep = async (deps, ctx, view, form) => {
  const login = form.get('login') ?? '';
  const remember = form.get('remember') === 'yes';
  try {
    if (!(await signInMethodsOf(deps, view)).password)
      throw new Refused('forbidden', { detail: 'no passwords here' });
    const account = await signInWithPassword(deps.identity, {
      organization: view.organization,
      login,
      password: form.get('password') ?? '',
      by: ['email', 'username'],
      context: requestContext(ctx, view),
    });
    await proven(deps, ctx, view, { account, proofs: ['pwd'], remember });
  } catch (error) {
    await showSignIn(deps, ctx, view, { login, remember, ...refusedBy(ctx, error) });
  }
};

/** What the app said about the person, or who is signed in here and has to prove it again. */
async function likelyLogin(deps: PageDeps, view: InteractionView): Promise<string> {
  if (flowStateOf(view).another === true) return '';
  if (view.accountId === undefined) return view.loginHint ?? '';
  const account = await findAccount(deps.identity, { id: view.accountId, organization: view.organization });
  return account?.email ?? account?.username ?? view.loginHint ?? '';
}
