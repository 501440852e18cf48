/**
 * The second factor (step-up, MFA) where an app asks for two: the password, or a code by email; and the page for
 * a person who has only one to give. The same form answers for the link page: both are about one account.
 */
import { Refused } from '../../core/refused.ts';
import { noteSignIn } from '../../identity/audit/audit.ts';
import { checkPassword } from '../../identity/sign-in/reauthenticate.ts';
import { loginShown } from '../shared/login-shown.ts';
import { halfProven, nextProof, proven } from './complete.ts';
import { accountIn, flowStateOf, goTo } from './flow-state.ts';
import type { SignInPage, SignInStep } from './guards.ts';
import { finishLink, showLink } from './link-account.ts';
import { showSignIn } from './password.ts';
import { renderInteraction } from './render-interaction.ts';

export const showSecondProof: SignInPage = async (step, refusal) => {
  const { accountId, proofs = [] } = halfProven(step.view) ?? {};
  const account = await accountIn(step, accountId);
  if (account?.status !== 'active') return showSignIn(step, refusal);
  const next = nextProof(proofs, account);
  const data = {
    kind: next === 'pwd' ? 'second-password' : 'second-code',
    organization: step.view.organization,
    lacks: proofs.includes('pwd') ? 'address' : 'password',
    account: loginShown(account),
    password: next === 'pwd',
    code: next === 'otp',
  };
  const page = next === undefined ? 'step-up-impossible' : 'confirm-person';
  await renderInteraction(step, page, data, refusal);
};

/** The page that the form of confirmPassword is on. */
export const showPerson: SignInPage = (step, refusal) =>
  flowStateOf(step.view).link === undefined ? showSecondProof(step, refusal) : showLink(step, refusal);

/** The password of a person already known: the second proof, or what links an upstream identity. */
export const confirmPassword: SignInStep = async (step) => {
  const { deps, view, context, form } = step;
  const { link, remember = false } = flowStateOf(view);
  const account = await accountIn(step, link?.accountId ?? halfProven(view)?.accountId);
  if (account?.status !== 'active') return goTo(step, {});
  // A password set before the address was proven says nothing about its owner.
  if (link !== undefined && !account.emailVerified) throw new Refused('wrong-password');
  const input = { accountId: account.id, password: form.get('password') ?? '', context };
  if (!(await checkPassword(deps.identity, input))) throw new Refused('wrong-password');
  if (link !== undefined) return finishLink(step, { link, account, proof: 'pwd' });
  await noteSignIn(deps.identity, { account, context, factor: 'pwd' });
  await proven(step, { account, proofs: ['pwd'], remember });
};
