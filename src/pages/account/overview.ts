/** My account: one line for each thing that there is, with the way to it. */

import { readableEmail } from '../../core/text.ts';
import { showAccountPage } from './render.ts';
import type { AccountPage } from './session.ts';

export const overview: AccountPage = async (visit) => {
  const { deps, account } = visit;
  const { claims, factors } = account;
  const links = await deps.identity.stores.identities.listByAccount(account.id);
  const full = [claims.given_name, claims.family_name].filter((name) => name !== undefined).join(' ');
  await showAccountPage(visit, 'account', {
    name: claims.name ?? full,
    email: account.email && readableEmail(account.email),
    verified: account.emailVerified,
    hasPassword: account.passwordHash !== undefined,
    factors: (factors?.passkeys?.length ?? 0) + (factors?.app ? 1 : 0),
    links: links.length,
    hasKeys: deps.apiKeyOffers(account).length > 0,
  });
};
