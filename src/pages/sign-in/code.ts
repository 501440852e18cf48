/**
 * One-time codes by email: asking for one, asking again, entering it. The page says that an email is on its
 * way whether or not there is such a person. A code works in the interaction that asked for it alone.
 */
import { setTimeout as wait } from 'node:timers/promises';
import type { Context } from 'koa';
import { randomUUID } from '../../core/crypto.ts';
import { Refused } from '../../core/refused.ts';
import { findAccount, findByLogin } from '../../identity/accounts/find-account.ts';
import { CODE_LIFETIME, RESEND_AFTER, sendSignInCode } from '../../identity/sign-in/send-code.ts';
import { signInWithCode } from '../../identity/sign-in/with-code.ts';
import { checkLinkable } from '../../identity/upstream/link-identity.ts';
import type { AccountRecord } from '../../model/account.ts';
import type { InteractionView } from '../../oidc/contract.ts';
import { refusedBy } from '../shared/alert.ts';
import type { PageDeps } from '../shared/deps.ts';
import { goOn, readInteraction } from '../shared/interaction.ts';
import { requestContext } from '../shared/request-context.ts';
import { halfProven, proven } from './complete.ts';
import { type CodePurpose, type FlowState, flowStateOf, goTo } from './flow-state.ts';
import type { SignInStep } from './guards.ts';
import { finishLink } from './link-account.ts';
import { signInMethodsOf } from './methods.ts';
import { type SignInState, showSignIn } from './password.ts';
import { renderInteraction } from './render-interaction.ts';

export async function showCode(
  deps: PageDeps,
  ctx: Context,
  view: InteractionView,
  state: SignInState = {},
): Promise<void> {
  const { code, ...progress } = flowStateOf(view);
  const { name } = await addressee(deps, view, progress);
  await renderInteraction(deps, ctx, view, {
    status: state.status,
    view: 'sign-in-code',
    alert: state.alert,
    data: {
      name,
      purpose: code?.purpose,
      minutes: CODE_LIFETIME / 60,
      again: (code?.emails ?? 0) > 1,
      // The stylesheet counts down in steps of ten seconds.
      wait: Math.ceil(secondsToWait(deps, code?.sentAt) / 10) * 10,
    },
  });
}

/** Sends a code, or another one. */
export const sendCodeAgain: SignInStep = async (deps, ctx, view, form) => {
  const before = flowStateOf(view);
  const typed = form.get('login')?.trim() ?? undefined;
  const remember = typed !== undefined ? form.get('remember') === 'yes' : before.remember === true;
  const progress: FlowState = { ...before, remember, ...(typed !== undefined && { login: typed }) };
  const { purpose, name, account } = await addressee(deps, view, progress);
  if (purpose === 'hosted-sign-in' && !(await signInMethodsOf(deps, view)).code) {
    throw new Refused('forbidden', { detail: 'no codes here' });
  }
  if (name === '') {
    await showSignIn(deps, ctx, view, {
      login: '',
      remember,
      alert: { kind: 'login-needed' },
      status: 400,
    });
    return;
  }
  try {
    const { uid: request, organization } = view;
    const input = { organization, account, name, purpose, request, context: requestContext(ctx, view) };
    const sent = await sendSignInCode(deps.identity, input);
    if (!sent && before.code !== undefined) {
      const seconds = Math.max(1, secondsToWait(deps, before.code.sentAt));
      ctx.set('Retry-After', String(seconds));
      await showCode(deps, ctx, view, { alert: { kind: 'code-too-early', count: seconds }, status: 429 });
      return;
    }
    const emails = sent ? (before.code?.emails ?? 0) + 1 : 1;
    const sentAt = deps.identity.clock.now().getTime();
    await goTo(deps, ctx, view, { ...progress, code: { purpose, sentAt, emails } });
  } catch (error) {
    await showRefused(deps, ctx, view, error);
  }
};

/** A code that was entered. */
export const enterCode: SignInStep = async (deps, ctx, view, form) => {
  const release = await acquireLease(deps, view);
  try {
    // Sent twice: the first one may have finished while this one waited.
    const now = await readInteraction(deps, ctx);
    if (now === undefined) return;
    if (now.finished) await goOn(deps, ctx);
    else await judge(deps, ctx, now, form.get('code') ?? '');
  } catch (error) {
    await showRefused(deps, ctx, view, error);
  } finally {
    await release();
  }
};

async function judge(deps: PageDeps, ctx: Context, view: InteractionView, typed: string): Promise<void> {
  const progress = flowStateOf(view);
  const { purpose, name, account } = await addressee(deps, view, progress);
  const context = requestContext(ctx, view);
  const { organization } = view;
  const link = purpose === 'hosted-link' ? progress.link : undefined;
  if (link !== undefined) await checkLinkable(deps.identity, { organization, ...link, ...link.person });
  const signedIn = await signInWithCode(deps.identity, {
    organization,
    email: account?.email ?? name,
    // People paste what their mail program shows them.
    code: typed.replace(/[\s-]/g, ''),
    purpose,
    request: view.uid,
    context,
    confirms: purpose === 'hosted-step-up' && halfProven(view)?.proofs.includes('pwd') === true,
  });
  if (link !== undefined) {
    await finishLink(deps, ctx, view, { link, account: signedIn, proof: 'otp' });
    return;
  }
  const remember = progress.remember === true;
  await proven(deps, ctx, view, { account: signedIn, proofs: ['otp'], remember });
}

/** Whom a code goes to, and what it proves: one's way in, a second proof, or who is to be linked. */
async function addressee(
  deps: PageDeps,
  view: InteractionView,
  progress: FlowState,
): Promise<{ purpose: CodePurpose; name: string; account: AccountRecord | undefined }> {
  const { organization } = view;
  const known = progress.link ?? halfProven(view);
  if (known !== undefined) {
    const account = await findAccount(deps.identity, { id: known.accountId, organization });
    const purpose = progress.link === undefined ? 'hosted-step-up' : 'hosted-link';
    return { purpose, name: account?.email ?? '', account };
  }
  const login = progress.login ?? '';
  const account = await findByLogin(deps.identity, { organization, login, by: ['email', 'username'] });
  return { purpose: 'hosted-sign-in', name: login, account };
}

async function showRefused(
  deps: PageDeps,
  ctx: Context,
  view: InteractionView,
  error: unknown,
): Promise<void> {
  const state = refusedBy(ctx, error);
  if (flowStateOf(view).code === undefined) await showSignIn(deps, ctx, view, state);
  else await showCode(deps, ctx, view, state);
}

function secondsToWait(deps: PageDeps, sentAt: number | undefined): number {
  if (sentAt === undefined) return 0;
  const passed = (deps.identity.clock.now().getTime() - sentAt) / 1000;
  return Math.max(0, Math.min(RESEND_AFTER, Math.ceil(RESEND_AFTER - passed)));
}

/**
 * One code at a time in an interaction, so that a form that was sent twice is not told that its code was
 * used already. Only a courtesy: who has waited long enough goes on, and the code itself has one winner.
 */
async function acquireLease(deps: PageDeps, view: InteractionView): Promise<() => Promise<void>> {
  const { stores, clock } = deps.identity;
  const key = `code-turn:${view.uid}`;
  const owner = randomUUID();
  for (let tries = 0; tries < 20; tries += 1) {
    const now = clock.now();
    if (await stores.leases.acquire(key, owner, now, new Date(now.getTime() + 5000))) break;
    await wait(50);
  }
  return () => stores.leases.release(key, owner);
}
