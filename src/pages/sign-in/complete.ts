/**
 * After a proof: is it enough? One is, unless the account has a second factor, a policy requires one, or the app asks
 * for two (acr_values, RFC 9470). The second is a passkey, or a code of an authenticator app. An account with neither
 * may answer an app with proofs of two other kinds: the password, which is known, and a code from the mailbox, which
 * is had; a policy is not satisfied by them. An upstream's word is a first proof alone: it may rest on a password, on
 * the same one even, or on the very mailbox that the code goes to, and neither Google nor Apple says on which.
 * `acr` and `amr` say what was proven and no more.
 */
import { needOfFactor } from '../../identity/factors/policy.ts';
import { sendSignInCode } from '../../identity/sign-in/send-code.ts';
import { linkProven } from '../../identity/sign-in/with-upstream.ts';
import type { AccountRecord } from '../../model/account.ts';
import { type Amr, provenAmr } from '../../model/amr.ts';
import { hasFactor, passkeysOf } from '../../model/factors.ts';
import { ACR, type InteractionView } from '../../oidc/contract.ts';
import { leadOn } from '../shared/lead-on.ts';
import { rememberIfAsked, withRemembered } from './factors/remember.ts';
import {
  accountIn,
  type FlowState,
  flowStateOf,
  goTo,
  type HalfProof,
  type PendingLink,
  restsOn,
} from './flow-state.ts';
import type { Step } from './guards.ts';

/** `proofs` has `mfa` where a second factor was proven beside a first one, or a passkey that verified its user. */
export async function proven(
  step: Step,
  input: {
    account: AccountRecord;
    proofs: readonly Amr[];
    /** The browser stays signed in. Default: as the first page of the sign-in was sent. */
    remember?: boolean;
    /** The person puts off setting a factor up. */
    later?: boolean;
    /** An upstream identity that the person has proven the account for. */
    link?: PendingLink;
  },
): Promise<void> {
  const { deps, ctx, view, context } = step;
  const { account, later = false, remember = flowStateOf(view).remember === true } = input;
  const { id: accountId, organization } = account;
  const half = halfProven(view);
  const before = half?.accountId === accountId ? half : undefined;
  const { link = before?.link } = input;
  const own = [...new Set([...(before?.proofs ?? []), ...input.proofs])];
  // A link is a way in that stays: it wants the factor that the account has, also in a browser that is remembered.
  const all = link === undefined ? await withRemembered(step, account, own) : own;
  const missing = stillMissing(step, account, all);
  const waits = missing !== undefined && hasFactor(account);
  if (link !== undefined && !waits)
    await linkProven(deps.identity, { organization, person: link.person, accountId, context });
  if (missing !== undefined && !(later && missing === 'set-up-soon')) {
    const { another = false } = flowStateOf(view);
    const rests = restsOn(deps, account);
    const proven = { accountId, proofs: own, rests, ...(link && waits && { link }) };
    return askForSecond(step, account, { remember, another, proven });
  }
  await rememberIfAsked(step, account, all);
  const address = await deps.interactions.finishLogin(ctx.req, {
    account,
    amr: all,
    acr: levelOf(all),
    remember,
  });
  await leadOn(deps, ctx, { view, address });
}

/** The person who has proven one of two: in this interaction, or by the session that lacks nothing but the second. */
export function halfProven(view: InteractionView): Omit<HalfProof, 'rests'> | undefined {
  const flow = flowStateOf(view);
  if (flow.proven !== undefined) return flow.proven;
  const onlyMore = view.reasons.length > 0 && view.reasons.every((reason) => ONLY_MORE.has(reason));
  if (!onlyMore || view.accountId === undefined || flow.another === true) return undefined;
  const proofs = provenAmr(view.amr ?? []);
  // Where the clinic's key opened the session, its person has proven nothing yet.
  const isOwn = proofs.some((proof) => proof !== 'sso');
  return isOwn ? { accountId: view.accountId, proofs } : undefined;
}

/** With the account, while it is active. */
export async function halfProvenPerson(
  step: Step,
): Promise<{ readonly account: AccountRecord; readonly proofs: readonly Amr[] } | undefined> {
  const half = halfProven(step.view);
  const account = await accountIn(step, half?.accountId);
  return half && account?.status === 'active' ? { account, proofs: half.proofs } : undefined;
}

const ONLY_MORE: ReadonlySet<string> = new Set(['step_up', 'second_factor']);

/**
 * What is still to come. `own`: a second factor that the account has. `pwd`, `otp`: the password, or a code by email.
 * `none`: nothing that the account has would do. `set-up`: a factor that a policy requires is set up; `set-up-soon`:
 * it may wait, in the grace period.
 */
export type Missing = 'own' | 'pwd' | 'otp' | 'none' | 'set-up' | 'set-up-soon';

export function stillMissing(
  { deps, view }: Step,
  account: AccountRecord,
  proofs: readonly Amr[],
): Missing | undefined {
  const now = deps.identity.clock.now();
  const level = levelOf(proofs);
  if (view.stepUp === 'phr' && level !== ACR.phr) return passkeysOf(account).length > 0 ? 'own' : 'none';
  const signIn = { amr: proofs, signedInAt: now };
  const need = needOfFactor(signIn, { account, policies: view.factorPolicies, now });
  if (hasFactor(account)) return need === 'none' ? undefined : 'own';
  if (view.stepUp !== undefined && level === ACR.single) {
    if (!proofs.includes('pwd')) return account.passwordHash === undefined ? 'none' : 'pwd';
    return account.email === undefined ? 'none' : 'otp';
  }
  if (need === 'none') return undefined;
  return need === 'now' ? 'set-up' : 'set-up-soon';
}

function levelOf(proofs: readonly Amr[]): string {
  const passkey = proofs.includes('hwk') || proofs.includes('swk');
  if (proofs.includes('mfa')) return passkey ? ACR.phr : ACR.stepup;
  return proofs.includes('pwd') && proofs.includes('otp') ? ACR.stepup : ACR.single;
}

/** Where the code is what comes next, its email leaves at once, without another button. */
async function askForSecond(step: Step, account: AccountRecord, flow: FlowState): Promise<void> {
  if (stillMissing(step, account, flow.proven?.proofs ?? []) !== 'otp') return goTo(step, flow);
  const { deps, view, context } = step;
  const { organization, uid: request } = view;
  const purpose = 'hosted-step-up';
  await sendSignInCode(deps.identity, { organization, account, name: account.id, purpose, request, context });
  const sentAt = deps.identity.clock.now().getTime();
  await goTo(step, { ...flow, code: { purpose, sentAt, emails: 1 } });
}
