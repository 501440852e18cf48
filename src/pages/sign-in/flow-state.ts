/**
 * How far a person has come in a sign-in of several steps, stored with the interaction. Every step ends with
 * a redirect to /interaction/:uid, which shows the page for what is stored: reloading and going back never
 * send anything twice. What stands here as proven was proven in this browser.
 */
import { seeOther } from '../../http/views/send-page.ts';
import { findAccount } from '../../identity/accounts/find-account.ts';
import type { NamedPerson } from '../../identity/sign-in/with-upstream.ts';
import type { AccountRecord } from '../../model/account.ts';
import type { Amr } from '../../model/amr.ts';
import type { InteractionView } from '../../oidc/contract.ts';
import type { PageDeps } from '../shared/deps.ts';
import type { Step } from './guards.ts';

/** An upstream identity whose address is an account's that is not proven yet. */
export type PendingLink = {
  readonly provider: string;
  readonly accountId: string;
  readonly person: Pick<NamedPerson, keyof NamedPerson>;
};

/** `rests`: see restsOn. `link`: waits for the second proof, like the sign-in. */
export type HalfProof = {
  readonly accountId: string;
  readonly proofs: Amr[];
  readonly rests: string;
  readonly link?: PendingLink;
};

export type FlowState = {
  /** As typed. */
  readonly login?: string;
  readonly remember?: boolean;
  /** The person wants to sign in with another account than the one signed in here. */
  readonly another?: boolean;
  /** The registration page was shown, as prompt=create asks. */
  readonly registering?: boolean;
  /** A code was asked for; epoch milliseconds of the last email, and how many there were. */
  readonly code?: { readonly purpose: CodePurpose; readonly sentAt: number; readonly emails: number };
  /** One proof is there, and another one is asked for. */
  readonly proven?: HalfProof;
  readonly link?: PendingLink;
  /** Apple's names, when the answer that they came with led nowhere: they come once. */
  readonly user?: string;
};

export type CodePurpose = 'hosted-sign-in' | 'hosted-step-up' | 'hosted-link';

export function flowStateOf(view: InteractionView): FlowState {
  return (view.kept.signIn ?? {}) as FlowState;
}

/** Stores it and sends the browser to the page that follows from it. */
export async function goTo(step: Step, flow: FlowState): Promise<void> {
  await storeFlowState(step, flow);
  seeOther(step.ctx, `/interaction/${step.view.uid}`);
}

export function storeFlowState({ deps, ctx, view }: Step, flow: FlowState): Promise<void> {
  return deps.interactions.keep(ctx.req, { ...view.kept, signIn: flow });
}

/** An account of the organization that the sign-in is at. */
export async function accountIn(
  { deps, view }: Step,
  id: string | undefined,
): Promise<AccountRecord | undefined> {
  return id === undefined ? undefined : findAccount(deps.identity, { id, organization: view.organization });
}

/** What a first proof rests on: with another password, or when the address's owner comes, it is none any more. */
export function restsOn(
  { identity }: Pick<PageDeps, 'identity'>,
  { id, passwordHash = '', email = '', emailVerified }: AccountRecord,
): string {
  return identity.secrets.hmac('half-proof', JSON.stringify([id, passwordHash, email, emailVerified]));
}

/** The interaction without a first proof that is none any more. */
export async function withLastingProof(deps: PageDeps, view: InteractionView): Promise<InteractionView> {
  const { proven, code, ...rest } = flowStateOf(view);
  if (proven === undefined) return view;
  const account = await deps.identity.stores.accounts.byId(proven.accountId);
  if (account !== undefined && restsOn(deps, account) === proven.rests) return view;
  return { ...view, kept: { ...view.kept, signIn: rest } };
}
