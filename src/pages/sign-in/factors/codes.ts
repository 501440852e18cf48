/** A code of the authenticator app, or a recovery code, by the person who is half proven. */
import { proveAppCode, proveRecoveryCode } from '../../../identity/sign-in/with-second-factor.ts';
import { FormRefused } from '../../shared/alert.ts';
import { halfProvenPerson, proven } from '../complete.ts';
import { goTo } from '../flow-state.ts';
import type { SignInStep } from '../guards.ts';

export const enterAppCode = entered(proveAppCode, 'app-code-refused');
export const enterRecoveryCode = entered(proveRecoveryCode, 'recovery-code-refused');

function entered(prove: typeof proveAppCode, kind: 'app-code-refused' | 'recovery-code-refused'): SignInStep {
  return async (step) => {
    const { deps, context, form } = step;
    const half = await halfProvenPerson(step);
    if (half === undefined) return goTo(step, {});
    const { account } = half;
    if (!(await prove(deps.identity, { account, code: form.get('code') ?? '', context })))
      throw new FormRefused({ kind });
    await proven(step, { account, proofs: ['otp', 'mfa'] });
  };
}
