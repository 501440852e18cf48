/**
 * The page for the second factor (step-up, MFA): what the account has for it. Where an app asks for two and the account
 * has nothing, the password, or a code by email; and the page for a person who has only one to give. The form of the
 * password answers for the link page too: both are about one account.
 */
import { Refused } from '../../core/refused.ts';
import { noteSignIn } from '../../identity/audit/audit.ts';
import { checkPassword } from '../../identity/sign-in/reauthenticate.ts';
import type { AccountRecord } from '../../model/account.ts';
import type { Refusal } from '../shared/alert.ts';
import { loginShown } from '../shared/login-shown.ts';
import { halfProven, proven, stillMissing } from './complete.ts';
import { passkeyButton } from './factors/passkey-button.ts';
import { rememberDays } from './factors/remember.ts';
import { showDone, showSetUp } from './factors/set-up.ts';
import { accountIn, flowStateOf, goTo } from './flow-state.ts';
import type { SignInPage, SignInStep, Step } from './guards.ts';
import { finishLink, showLink } from './link-account.ts';
import { signInMethodsOf } from './methods.ts';
import { showSignIn } from './password.ts';
import { renderInteraction } from './render-interaction.ts';

export const showSecondProof: SignInPage = async (step, refusal) => {
  const { accountId, proofs = [] } = halfProven(step.view) ?? {};
  const account = await accountIn(step, accountId);
  if (account?.status !== 'active') return showSignIn(step, refusal);
  const missing = stillMissing(step, account, proofs);
  if (missing === 'own') return showSecondFactor(step, account, refusal);
  if (missing === 'set-up' || missing === 'set-up-soon') return showSetUp(step, refusal);
  if (missing === undefined) return showDone(step, refusal);
  const { organization } = step.view;
  const data = { organization, account: loginShown(account) };
  if (missing === 'pwd' || missing === 'otp') {
    const [password, code] = [missing === 'pwd', missing === 'otp'];
    const kind = password ? 'second-password' : 'second-code';
    return renderInteraction(step, 'confirm-person', { ...data, kind, password, code }, refusal);
  }
  const lacks = proofs.includes('pwd') ? 'address' : 'password';
  const impossible = { ...data, lacks: step.view.stepUp === 'phr' ? 'passkey' : lacks };
  await renderInteraction(step, 'step-up-impossible', impossible, refusal);
};

/** What the account has. Only a passkey will do where the app asks for that. */
async function showSecondFactor(step: Step, account: AccountRecord, refusal?: Refusal): Promise<void> {
  const { view } = step;
  const { app, recoveryCodes = [] } = account.factors ?? {};
  const any = view.stepUp !== 'phr';
  const data = {
    account: loginShown(account),
    passkey: passkeyButton(step, account),
    app: any && app !== undefined,
    recovery: any && recoveryCodes.length > 0,
    days: rememberDays(view),
  };
  await renderInteraction(step, 'second-factor', data, refusal);
}

/** The page that the form of confirmPassword is on. */
export const showPerson: SignInPage = (step, refusal) =>
  flowStateOf(step.view).link === undefined ? showSecondProof(step, refusal) : showLink(step, refusal);

/** The password of a person already known: the second proof, or what links an upstream identity. */
export const confirmPassword: SignInStep = async (step) => {
  const { deps, view, context, form } = step;
  const { link } = flowStateOf(view);
  const account = await accountIn(step, link?.accountId ?? halfProven(view)?.accountId);
  if (account?.status !== 'active') return goTo(step, {});
  // A password set before the address was proven says nothing about its owner.
  if (link !== undefined && !account.emailVerified) throw new Refused('wrong-password');
  if (link !== undefined && !(await signInMethodsOf(deps, view)).password)
    throw new Refused('forbidden', { detail: 'no passwords here' });
  const input = { accountId: account.id, password: form.get('password') ?? '', context };
  if (!(await checkPassword(deps.identity, input))) throw new Refused('wrong-password');
  if (link !== undefined) return finishLink(step, { link, account, proof: 'pwd' });
  await noteSignIn(deps.identity, { account, context, factor: 'pwd' });
  await proven(step, { account, proofs: ['pwd'] });
};
