/**
 * A person came from an upstream with the address of an account here, and the upstream's word does not suffice
 * (identity/upstream/link-identity.ts): the page asks once for a factor of our own, then links the two. For
 * an unverified address only a code sent to it will do.
 */
import { noteSignIn } from '../../identity/audit/audit.ts';
import { checkLinkable } from '../../identity/upstream/link-identity.ts';
import type { AccountRecord } from '../../model/account.ts';
import type { Amr } from '../../model/amr.ts';
import { loginShown } from '../shared/login-shown.ts';
import { upstreamTitle } from '../shared/upstream-trip.ts';
import { proven } from './complete.ts';
import { accountIn, flowStateOf, type PendingLink, storeFlowState } from './flow-state.ts';
import type { SignInPage, Step } from './guards.ts';
import { signInMethodsOf } from './methods.ts';
import { showSignIn } from './password.ts';
import { renderInteraction } from './render-interaction.ts';

export const showLink: SignInPage = async (step, refusal) => {
  const { link, ...rest } = flowStateOf(step.view);
  const account = await accountIn(step, link?.accountId);
  if (account?.status !== 'active') {
    await storeFlowState(step, rest);
    return showSignIn(step, refusal);
  }
  const data = {
    kind: 'link',
    provider: upstreamTitle(step.deps, link?.provider ?? ''),
    account: loginShown(account),
    // Where the organization takes no passwords, none links either.
    password: account.emailVerified && (await signInMethodsOf(step.deps, step.view)).password,
    code: true,
  };
  await renderInteraction(step, 'confirm-person', data, refusal);
};

/** The person has proven the account: the link is made when nothing more is asked of it. Another person who signs in while a link waits is not linked. */
export async function finishLink(
  step: Step,
  { link, account, proof }: { link: PendingLink; account: AccountRecord; proof: Amr },
): Promise<void> {
  const { deps, view, context } = step;
  const { person, accountId } = link;
  if (account.id !== accountId) throw new Error('The proof is of another account than the link.');
  const { organization } = view;
  await checkLinkable(deps.identity, { organization, accountId, ...person });
  // A code wrote its line when it was spent.
  if (proof === 'pwd') await noteSignIn(deps.identity, { account, context, factor: 'pwd' });
  await proven(step, { account, proofs: ['fed', proof], link });
}
