/** The page that a sign-in has come to: what is stored with the interaction decides, not the address. */
import { leadOn } from '../shared/lead-on.ts';
import { showCode } from './code.ts';
import { halfProven } from './complete.ts';
import { flowStateOf } from './flow-state.ts';
import type { SignInPage, SignInStep } from './guards.ts';
import { showLink } from './link-account.ts';
import { showSignIn } from './password.ts';
import { showSecondProof } from './second-factor.ts';
import { showChoice } from './select-account.ts';

/** Where the provider sends the browser, with a cookie that belongs to one interaction. */
export const showStep: SignInPage = (step, refusal) => {
  const { view } = step;
  const { another, code, link } = flowStateOf(view);
  if (view.prompt === 'select_account' && view.accountId !== undefined && another !== true)
    return showChoice(step);
  if (code !== undefined) return showCode(step, refusal);
  if (link !== undefined) return showLink(step, refusal);
  return halfProven(view) === undefined ? showSignIn(step, refusal) : showSecondProof(step, refusal);
};

/** Back to the app without signing in. */
export const cancel: SignInStep = async ({ deps, ctx, view, form }) => {
  const address = await deps.interactions.abort(ctx.req, ctx.res, {
    // RFC 9470, 5: the app asked for two proofs, and the account has one.
    error: form.get('reason') === 'unmet' ? 'unmet_authentication_requirements' : 'access_denied',
    description: 'The person went back without signing in.',
  });
  await leadOn(deps, ctx, { view, address });
};
