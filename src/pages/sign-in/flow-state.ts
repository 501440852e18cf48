/**
 * How far a person has come in a sign-in of several steps, parked with the interaction. Every step ends with
 * a redirect to /interaction/:uid, which shows the page for what is parked: reloading and going back never
 * send anything twice. What stands here as proven was proven in this browser.
 */
import type { Context } from 'koa';
import { seeOther } from '../../http/views/send-page.ts';
import type { NamedPerson } from '../../identity/sign-in/with-upstream.ts';
import type { Json } from '../../model/json.ts';
import type { InteractionView } from '../../oidc/contract.ts';
import type { PageDeps } from '../shared/deps.ts';

export type Proof = 'pwd' | 'otp' | 'fed' | 'sso';

/** An upstream identity whose address is an account's that is not proven yet. */
export interface PendingLink {
  readonly provider: string;
  readonly accountId: string;
  readonly person: NamedPerson;
}

export interface Progress {
  /** As typed. */
  readonly login?: string;
  readonly remember?: boolean;
  /** The person wants to sign in with another account than the one signed in here. */
  readonly another?: boolean;
  /** A code was asked for; epoch milliseconds of the last email, and how many there were. */
  readonly code?: { readonly purpose: CodePurpose; readonly sentAt: number; readonly emails: number };
  /** One proof is there and another is wanted. */
  readonly proven?: { readonly accountId: string; readonly proofs: readonly Proof[] };
  readonly link?: PendingLink;
  /** Apple's names, when the answer that they came with led nowhere: they come once. */
  readonly user?: string;
}

export type CodePurpose = 'hosted-sign-in' | 'hosted-step-up' | 'hosted-link';

export function progressOf(view: InteractionView): Progress {
  return (view.kept.signIn ?? {}) as Progress;
}

/** Parks it and sends the browser to the page that follows from it. */
export async function goTo(
  deps: PageDeps,
  ctx: Context,
  view: InteractionView,
  progress: Progress,
): Promise<void> {
  await park(deps, ctx, view, progress);
  seeOther(ctx, `/interaction/${view.uid}`);
}

export function park(deps: PageDeps, ctx: Context, view: InteractionView, progress: Progress): Promise<void> {
  return deps.interactions.keep(ctx.req, ctx.res, {
    ...view.kept,
    signIn: progress as unknown as Record<string, Json>,
  });
}
