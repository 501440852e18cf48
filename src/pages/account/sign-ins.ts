/** Sign-ins with Google, Apple and the like that lead to this account, and the end of one. link-sign-in.ts adds one. */

import { Refused } from '../../core/refused.ts';
import { findOrganization } from '../../identity/accounts/find-organization.ts';
import { unlinkIdentity } from '../../identity/upstream/link-identity.ts';
import { hasWayInBesideLinks } from '../../model/account.ts';
import { FormRefused } from '../shared/alert.ts';
import type { PageDeps } from '../shared/deps.ts';
import { upstreamOf, upstreamsOf } from '../shared/upstream-trip.ts';
import { showAccountPage } from './render.ts';
import type { AccountForm, AccountPage } from './session.ts';

export const signIns: AccountPage = async (visit, refusal) => {
  const { deps, account } = visit;
  const links = await deps.identity.stores.identities.listByAccount(account.id);
  const staysWithout = (one: (typeof links)[number]) =>
    hasWayInBesideLinks(account) || links.some((link) => link !== one && upstreamOf(deps, link.issuer));
  const data = {
    links: links.map((link) => ({
      ...{ issuer: link.issuer, subject: link.subject, provider: providerOf(deps, link.issuer) },
      ...{ at: link.createdAt.toISOString(), last: !staysWithout(link) },
    })),
    upstreams: upstreamsOf(deps, await findOrganization(deps.identity, account.organization)),
  };
  await showAccountPage(visit, 'account-sign-ins', data, refusal);
};

export const unlink: AccountForm = ({ deps, account, context, form }) => {
  const link = { issuer: form.get('issuer') ?? '', subject: form.get('subject') ?? '' };
  return endWayIn(deps, { page: '/account/sign-ins', done: 'unlinked' }, (configured) =>
    unlinkIdentity(deps.identity, { accountId: account.id, ...link, context, configured }),
  );
};

/** Ends a way to sign in. The last one stays: without it the person could never come back. */
export async function endWayIn(
  deps: PageDeps,
  { page, done }: { page: string; done: string },
  end: (configured: (issuer: string) => boolean) => Promise<void>,
): Promise<string> {
  try {
    await end((issuer) => upstreamOf(deps, issuer) !== undefined);
    return `${page}?done=${done}`;
  } catch (error) {
    const reason = error instanceof Refused ? error.reason : undefined;
    if (reason === 'forbidden') throw new FormRefused({ kind: 'last-factor' }, 409);
    // It is gone already, which is what the person asked for.
    if (reason === 'account-not-found') return page;
    throw error;
  }
}

/** One that is switched off goes by its host. */
function providerOf(deps: PageDeps, issuer: string): string {
  return upstreamOf(deps, issuer)?.title ?? URL.parse(issuer)?.host ?? issuer;
}
