/** My account: one line for each thing that there is, with the way to it. */

import { listIdentities } from '../../identity/upstream/link-identity.ts';
import { showAccountPage } from './render.ts';
import type { AccountPage } from './session.ts';

export const overview: AccountPage = async (deps, ctx, person) => {
  const { account } = person;
  const { claims } = account;
  const links = await listIdentities(deps.identity, account.id);
  const full = [claims.given_name, claims.family_name].filter((name) => name !== undefined).join(' ');
  await showAccountPage(deps, ctx, person, {
    view: 'account',
    data: {
      name: claims.name ?? full,
      email: account.email,
      verified: account.emailVerified,
      hasPassword: account.passwordHash !== undefined,
      links: links.length,
      hasKeys: deps.apiKeyOffers(account).length > 0,
    },
  });
};
