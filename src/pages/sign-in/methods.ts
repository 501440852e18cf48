/**
 * Which ways to sign in a page offers, and how it begins (docs/hosted-pages.md). An organization's branding may say
 * `sign_in: name-first` and `ways: [password, code]` with names of upstreams; a client may say sign_in for itself.
 * By default both fields are on one page and everything is offered that works.
 */
import type { Upstream } from '../../federation/protocol/upstream.ts';
import { findOrganization } from '../../identity/accounts/find-organization.ts';
import type { InteractionView } from '../../oidc/contract.ts';
import type { PageDeps } from '../shared/deps.ts';
import { isOffered, upstreamsOf } from '../shared/upstream-trip.ts';

export interface SignInMethods {
  /** The name alone comes first, and then how to prove it. */
  readonly nameFirst: boolean;
  readonly password: boolean;
  readonly code: boolean;
  readonly upstreams: readonly Upstream[];
}

export async function signInMethodsOf(deps: PageDeps, view: InteractionView): Promise<SignInMethods> {
  const organization = await findOrganization(deps.identity, view.organization);
  const { sign_in: first, ways: methods } = organization?.branding ?? {};
  return {
    nameFirst: (view.client.signIn ?? first) === 'name-first',
    password: isOffered(methods, 'password'),
    code: isOffered(methods, 'code'),
    upstreams: upstreamsOf(deps, organization),
  };
}

/** Whether people may open accounts on the way to an app: its own word counts, else its organization's; else they may not. */
export async function mayRegister(
  { identity }: Pick<PageDeps, 'identity'>,
  { client, organization }: InteractionView,
): Promise<boolean> {
  return client.registration ?? (await findOrganization(identity, organization))?.registration === true;
}
