/**
 * How far a person has come in a sign-in of several steps, stored with the interaction. Every step ends with
 * a redirect to /interaction/:uid, which shows the page for what is stored: reloading and going back never
 * send anything twice. What stands here as proven was proven in this browser.
 */

import type { Context } from 'koa';
import { seeOther } from '../../http/views/send-page.ts';
import type { NamedPerson } from '../../identity/sign-in/with-upstream.ts';
import type { Amr } from '../../model/amr.ts';
import type { InteractionView } from '../../oidc/contract.ts';
import type { PageDeps } from '../shared/deps.ts';

/** An upstream identity whose address is an account's that is not proven yet. */
export type PendingLink = {
  readonly provider: string;
  readonly accountId: string;
  readonly person: Pick<NamedPerson, keyof NamedPerson>;
};

export type FlowState = {
  /** As typed. */
  readonly login?: string;
  readonly remember?: boolean;
  /** The person wants to sign in with another account than the one signed in here. */
  readonly another?: boolean;
  /** A code was asked for; epoch milliseconds of the last email, and how many there were. */
  readonly code?: { readonly purpose: CodePurpose; readonly sentAt: number; readonly emails: number };
  /** One proof is there, and the app asks for two. */
  readonly proven?: { readonly accountId: string; readonly proofs: Amr[] };
  readonly link?: PendingLink;
  /** Apple's names, when the answer that they came with led nowhere: they come once. */
  readonly user?: string;
};

export type CodePurpose = 'hosted-sign-in' | 'hosted-step-up' | 'hosted-link';

export function flowStateOf(view: InteractionView): FlowState {
  return (view.kept.signIn ?? {}) as FlowState;
}

/** Stores it and sends the browser to the page that follows from it. */
export async function goTo(
  deps: PageDeps,
  ctx: Context,
  view: InteractionView,
  progress: FlowState,
): Promise<void> {
  await storeFlowState(deps, ctx, view, progress);
  seeOther(ctx, `/interaction/${view.uid}`);
}

export function storeFlowState(
  deps: PageDeps,
  ctx: Context,
  view: InteractionView,
  progress: FlowState,
): Promise<void> {
  return deps.interactions.keep(ctx.req, ctx.res, {
    ...view.kept,
    signIn: progress,
  });
}
