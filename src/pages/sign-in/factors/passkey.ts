/** A passkey's answer: it signs in alone on the first page, or is the second factor of the person who is half proven. */
import { Refused } from '../../../core/refused.ts';
import { signInWithPasskey } from '../../../identity/sign-in/with-passkey.ts';
import { type Refusal, refusedBy } from '../../shared/alert.ts';
import { halfProven, proven } from '../complete.ts';
import { accountIn } from '../flow-state.ts';
import { oneAtATime, type SignInStep, type Step } from '../guards.ts';
import { showStep } from '../interaction.ts';
import { signInMethodsOf } from '../methods.ts';
import { spendChallenge } from './passkey-button.ts';

export const usePasskey: SignInStep = oneAtATime('passkey-turn', async (answered) => {
  const { deps, ctx, view } = answered;
  const half = halfProven(view);
  if (half === undefined && !(await signInMethodsOf(deps, view)).passkey)
    throw new Refused('forbidden', { detail: 'no passkeys here' });
  const { challenge, step } = await spendChallenge(answered);
  const refusal = await judge(step, { challenge, half }).catch((error: unknown) =>
    refusedBy(deps, ctx, error),
  );
  if (refusal !== undefined) await showStep(step, refusal);
});

/** Undefined: the browser is on its way. */
async function judge(
  step: Step,
  { challenge, half }: { challenge: string; half: ReturnType<typeof halfProven> },
): Promise<Refusal | undefined> {
  const { deps, view, context, form } = step;
  const account = await accountIn(step, half?.accountId);
  const verdict = await signInWithPasskey(deps.identity, {
    ...{ organization: view.organization, challenge, context, account },
    // The proof of an account that is gone is no other half.
    alone: account === undefined,
    response: form.get('response') ?? '',
  });
  if ('proofs' in verdict) {
    // The first page has its box beside the password.
    await proven(step, {
      ...verdict,
      ...(half === undefined && { remember: form.get('remember') === 'yes' }),
    });
    return undefined;
  }
  const { refused } = verdict;
  // A copied authenticator may be the person's own, restored: it hears no more than that it is not accepted.
  const kind = refused === 'counter-back' ? 'passkey-wrong' : (`passkey-${refused}` as const);
  return { alert: { kind }, status: 400 };
}
