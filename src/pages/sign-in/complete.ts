/**
 * After a proof: is it enough? One is, unless the app asks for two (acr_values, RFC 9470). Two are proofs of
 * different kinds: the password, which is known, and a code from the mailbox, which is had. An upstream's
 * word is neither: it may rest on a password alone, on the same one even, or on the very mailbox that the
 * code goes to, and neither Google nor Apple says on which. So it signs in, and counts for no second
 * proof beside either. `acr` and `amr` say what was proven and no more.
 */
import { sendSignInCode } from '../../identity/sign-in/send-code.ts';
import type { AccountRecord } from '../../model/account.ts';
import type { Amr } from '../../model/amr.ts';
import { ACR, type InteractionView } from '../../oidc/contract.ts';
import { leadOn } from '../shared/lead-on.ts';
import { type FlowState, flowStateOf, goTo } from './flow-state.ts';
import type { Step } from './guards.ts';

export async function proven(
  step: Step,
  { account, proofs, remember }: { account: AccountRecord; proofs: readonly Amr[]; remember: boolean },
): Promise<void> {
  const { deps, ctx, view } = step;
  const before = halfProven(view);
  const all = [...new Set([...(before?.accountId === account.id ? before.proofs : []), ...proofs])];
  if (view.stepUp && !isTwo(all)) {
    const { another = false } = flowStateOf(view);
    const flow: FlowState = { remember, another, proven: { accountId: account.id, proofs: all } };
    return askForSecond(step, account, flow);
  }
  const address = await deps.interactions.finishLogin(ctx.req, ctx.res, {
    accountId: account.id,
    amr: all,
    acr: isTwo(all) ? ACR.stepup : ACR.single,
    remember,
  });
  await leadOn(deps, ctx, { view, address });
}

/** Who has proven one of two: in this interaction, or by the session that lacks nothing but the second. */
export function halfProven(
  view: InteractionView,
): { readonly accountId: string; readonly proofs: readonly Amr[] } | undefined {
  const flow = flowStateOf(view);
  if (flow.proven !== undefined) return flow.proven;
  const onlyMore = view.reasons.length === 1 && view.reasons[0] === 'step_up';
  if (!onlyMore || view.accountId === undefined || flow.another === true) return undefined;
  return { accountId: view.accountId, proofs: (view.amr ?? []).filter(isProof) };
}

/** The proof that is still to come; undefined when the account has none to give. */
export function nextProof(proofs: readonly Amr[], account: AccountRecord): 'pwd' | 'otp' | undefined {
  if (!proofs.includes('pwd')) return account.passwordHash === undefined ? undefined : 'pwd';
  return account.email === undefined ? undefined : 'otp';
}

function isTwo(proofs: readonly Amr[]): boolean {
  return proofs.includes('pwd') && proofs.includes('otp');
}

function isProof(text: string): text is Amr {
  return ['pwd', 'otp', 'fed', 'sso'].includes(text);
}

/** Where the code is what comes next, its email leaves at once, without another button. */
async function askForSecond(step: Step, account: AccountRecord, flow: FlowState): Promise<void> {
  if (nextProof(flow.proven?.proofs ?? [], account) !== 'otp') return goTo(step, flow);
  const { deps, view, context } = step;
  const { organization, uid: request } = view;
  const purpose = 'hosted-step-up';
  await sendSignInCode(deps.identity, { organization, account, name: account.id, purpose, request, context });
  const sentAt = deps.identity.clock.now().getTime();
  await goTo(step, { ...flow, code: { purpose, sentAt, emails: 1 } });
}
