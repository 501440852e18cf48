/**
 * One-time codes by email: asking for one, asking again, entering it. The page says that an email is on its
 * way whether or not there is such a person. A code works in the interaction that asked for it alone.
 */
import { Refused } from '../../core/refused.ts';
import { readableEmail } from '../../core/text.ts';
import { findByLogin } from '../../identity/accounts/find-account.ts';
import { CODE_LIFETIME, RESEND_AFTER, sendSignInCode } from '../../identity/sign-in/send-code.ts';
import { signInWithCode } from '../../identity/sign-in/with-code.ts';
import { checkLinkable } from '../../identity/upstream/link-identity.ts';
import type { AccountRecord } from '../../model/account.ts';
import { FormRefused } from '../shared/alert.ts';
import type { PageDeps } from '../shared/deps.ts';
import { halfProven, proven } from './complete.ts';
import { accountIn, type CodePurpose, type FlowState, flowStateOf, goTo } from './flow-state.ts';
import { oneAtATime, type SignInPage, type SignInStep, type Step } from './guards.ts';
import { finishLink } from './link-account.ts';
import { signInMethodsOf } from './methods.ts';
import { showSignIn } from './password.ts';
import { renderInteraction } from './render-interaction.ts';

export const showCode: SignInPage = async (step, refusal) => {
  const flow = flowStateOf(step.view);
  const { code } = flow;
  const data = {
    name: readableEmail((await addressee(step, flow)).name),
    purpose: code?.purpose,
    minutes: CODE_LIFETIME / 60,
    again: (code?.emails ?? 0) > 1,
    // The stylesheet counts down in steps of ten seconds.
    wait: Math.ceil(secondsToWait(step.deps, code?.sentAt) / 10) * 10,
  };
  await renderInteraction(step, 'sign-in-code', data, refusal);
};

/** The page that a form about codes is on. */
export const showCodeForm: SignInPage = (step, refusal) =>
  flowStateOf(step.view).code === undefined ? showSignIn(step, refusal) : showCode(step, refusal);

/** Sends a code, or another one. */
export const sendCodeAgain: SignInStep = async (step) => {
  const { deps, ctx, view, context, form } = step;
  const before = flowStateOf(view);
  const login = form.get('login')?.trim();
  const remember = login === undefined ? before.remember === true : form.get('remember') === 'yes';
  const flow: FlowState = { ...before, remember, ...(login !== undefined && { login }) };
  const { purpose, name, account } = await addressee(step, flow);
  if (purpose === 'hosted-sign-in' && !(await signInMethodsOf(deps, view)).code) {
    throw new Refused('forbidden', { detail: 'no codes here' });
  }
  if (name === '') return showSignIn(step, { alert: { kind: 'login-needed' }, status: 400 });
  const { uid: request, organization } = view;
  const input = { organization, account, name, purpose, request, context };
  const sent = await sendSignInCode(deps.identity, input);
  if (!sent && before.code !== undefined) {
    const seconds = Math.max(1, secondsToWait(deps, before.code.sentAt));
    ctx.set('Retry-After', String(seconds));
    throw new FormRefused({ kind: 'code-too-early', count: seconds }, 429);
  }
  const emails = sent ? (before.code?.emails ?? 0) + 1 : 1;
  const sentAt = deps.identity.clock.now().getTime();
  await goTo(step, { ...flow, code: { purpose, sentAt, emails } });
};

/** A code that was entered. */
export const enterCode: SignInStep = oneAtATime('code-turn', judge);

async function judge(step: Step): Promise<void> {
  const { deps, view, context, form } = step;
  const flow = flowStateOf(view);
  const { purpose, name, account: known } = await addressee(step, flow);
  const { organization, uid: request } = view;
  const link = purpose === 'hosted-link' ? flow.link : undefined;
  if (link !== undefined) await checkLinkable(deps.identity, { organization, ...link, ...link.person });
  const tried = {
    ...{ organization, email: known?.email ?? name, code: form.get('code') ?? '', purpose, request, context },
    confirms: purpose === 'hosted-step-up' && halfProven(view)?.proofs.includes('pwd') === true,
  };
  await signInWithCode(deps.identity, tried, (account) =>
    link !== undefined
      ? finishLink(step, { link, account, proof: 'otp' })
      : proven(step, { account, proofs: ['otp'] }),
  );
}

/** Whom a code goes to, and what it proves: one's way in, a second proof, or who is to be linked. */
async function addressee(
  step: Step,
  flow: FlowState,
): Promise<{ purpose: CodePurpose; name: string; account: AccountRecord | undefined }> {
  const known = flow.link ?? halfProven(step.view);
  if (known !== undefined) {
    const account = await accountIn(step, known.accountId);
    const purpose = flow.link === undefined ? 'hosted-step-up' : 'hosted-link';
    return { purpose, name: account?.email ?? '', account };
  }
  const { login = '' } = flow;
  const { organization } = step.view;
  const account = await findByLogin(step.deps.identity, { organization, login, by: ['email', 'username'] });
  return { purpose: 'hosted-sign-in', name: login, account };
}

function secondsToWait(deps: PageDeps, sentAt: number | undefined): number {
  if (sentAt === undefined) return 0;
  const passed = (deps.identity.clock.now().getTime() - sentAt) / 1000;
  return Math.max(0, Math.min(RESEND_AFTER, Math.ceil(RESEND_AFTER - passed)));
}
