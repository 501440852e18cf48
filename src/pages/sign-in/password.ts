/**
 * The first page of a sign-in: identifier and password at once, or the identifier alone, with the other ways
 * below. Every way to be refused (unknown, wrong, blocked, no password) has the same words, status and work.
 */
import { Refused } from '../../core/refused.ts';
import { signInWithPassword } from '../../identity/sign-in/with-password.ts';
import { loginShown } from '../shared/login-shown.ts';
import { proven } from './complete.ts';
import { passkeyButton } from './factors/passkey-button.ts';
import { accountIn, flowStateOf } from './flow-state.ts';
import type { SignInPage, SignInStep, Step } from './guards.ts';
import { leadsByDomain, signInMethodsOf, upstreamOfDomain } from './methods.ts';
import { choseOrganization } from './organization.ts';
import { renderInteraction } from './render-interaction.ts';

export const showSignIn: SignInPage = async (step, refusal) => {
  const { deps, view, form } = step;
  const methods = await signInMethodsOf(deps, view);
  const { password, code, codeFirst, registers, blocks } = methods;
  const flow = flowStateOf(view);
  const typed = form.get('login');
  // A name that was given to find the organization may lead further.
  const named = flow.login !== undefined && upstreamOfDomain(methods, flow.login) === undefined;
  const nameFirst = methods.nameFirst || codeFirst;
  const data = {
    clientId: view.client.clientId,
    again: view.accountId !== undefined && view.prompt === 'login' && flow.another !== true,
    login: typed ?? flow.login ?? (await likelyLogin(step)),
    fixed: nameFirst && named,
    nameOnly: !password || (nameFirst && !named),
    remember: typed === null ? flow.remember === true : form.get('remember') === 'yes',
    ...{ password, code, codeFirst, registers, blocks },
    passkey: methods.passkey ? passkeyButton(step) : undefined,
    // Where the domain decides who signs in elsewhere, the button promises no code.
    next: codeFirst && !leadsByDomain(methods) ? 'code/send' : 'name',
    organization: view.organization,
    chosen: choseOrganization(view),
    forgets: password,
    // What an upstream or a passkey did is no fault of the fields.
    elsewhere: /^(?:upstream|passkey)-/.test(refusal?.alert?.kind ?? ''),
  };
  await renderInteraction({ ...step, organization: methods.organization }, 'sign-in', data, refusal);
};

export const signIn: SignInStep = async (step) => {
  const { deps, view, context, form } = step;
  if (!(await signInMethodsOf(deps, view)).password)
    throw new Refused('forbidden', { detail: 'no passwords here' });
  const tried = {
    organization: view.organization,
    login: form.get('login') ?? '',
    password: form.get('password') ?? '',
    by: ['email', 'username'] as const,
    context,
  };
  const remember = form.get('remember') === 'yes';
  await signInWithPassword(deps.identity, tried, ({ account }) =>
    proven(step, { account, proofs: ['pwd'], remember }),
  );
};

/** What the app said about the person, or who is signed in here and has to prove it again. */
async function likelyLogin(step: Step): Promise<string> {
  const { accountId, loginHint = '' } = step.view;
  if (flowStateOf(step.view).another === true) return '';
  const account = await accountIn(step, accountId);
  return loginShown(account) || loginHint;
}
