/** A code of the authenticator app, or a recovery code, by the person who is half proven. */
import { proveAppCode, proveRecoveryCode } from '../../../identity/sign-in/with-second-factor.ts';
import { FormRefused } from '../../shared/alert.ts';
import { halfProven, proven } from '../complete.ts';
import { accountIn, flowStateOf, goTo } from '../flow-state.ts';
import type { SignInStep } from '../guards.ts';

export const enterAppCode = entered(proveAppCode, 'app-code-refused');
export const enterRecoveryCode = entered(proveRecoveryCode, 'recovery-code-refused');

function entered(prove: typeof proveAppCode, kind: 'app-code-refused' | 'recovery-code-refused'): SignInStep {
  return async (step) => {
    const { deps, view, context, form } = step;
    const half = halfProven(view);
    const account = await accountIn(step, half?.accountId);
    if (account?.status !== 'active') return goTo(step, {});
    if (!(await prove(deps.identity, { account, code: form.get('code') ?? '', context })))
      throw new FormRefused({ kind });
    // Single sign-on is the clinic's word: with it a code is the only proof of the person's own.
    const own = half?.proofs.some((proof) => proof !== 'sso') === true;
    const remember = flowStateOf(view).remember === true;
    await proven(step, { account, proofs: own ? ['otp', 'mfa'] : ['otp'], remember });
  };
}
