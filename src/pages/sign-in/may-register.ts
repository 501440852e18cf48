/** Whether people may open accounts on the way to an app: its own word counts, else its organization's; else they may not. */
import { findOrganization } from '../../identity/accounts/find-organization.ts';
import type { InteractionView } from '../../oidc/contract.ts';
import type { PageDeps } from '../shared/deps.ts';

export async function mayRegister(
  { identity }: Pick<PageDeps, 'identity'>,
  view: InteractionView,
): Promise<boolean> {
  const own = view.client.registration;
  return own ?? (await findOrganization(identity, view.organization))?.registration === true;
}
