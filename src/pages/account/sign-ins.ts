/** Sign-ins with Google, Apple and the like that lead to this account, and the end of one. */

import type { Context } from 'koa';
import { Refused } from '../../core/refused.ts';
import { listIdentities, unlinkIdentity } from '../../identity/upstream/link-identity.ts';
import type { Alert } from '../shared/alert.ts';
import type { PageDeps } from '../shared/deps.ts';
import { requestContext } from '../shared/request-context.ts';
import { leadTo, showAccountPage } from './render.ts';
import type { AccountForm, AccountPage, Person } from './session.ts';

export const signIns: AccountPage = (deps, ctx, person) => show(deps, ctx, person);

/** The last way in stays: without it the person could never come back (security.md F7). */
export const unlink: AccountForm = async (deps, ctx, person, form) => {
  const accountId = person.account.id;
  try {
    await unlinkIdentity(deps.identity, {
      accountId,
      issuer: form.get('issuer') ?? '',
      subject: form.get('subject') ?? '',
      context: requestContext(ctx),
    });
  } catch (error) {
    if (!(error instanceof Refused)) throw error;
    if (error.reason === 'forbidden') await show(deps, ctx, person, { kind: 'last-factor' });
    // It is gone already, which is what the person asked for.
    else if (error.reason === 'account-not-found') leadTo(ctx, '/account/sign-ins');
    else throw error;
    return;
  }
  leadTo(ctx, '/account/sign-ins', 'unlinked');
};

async function show(deps: PageDeps, ctx: Context, person: Person, alert?: Alert): Promise<void> {
  const links = await listIdentities(deps.identity, person.account.id);
  await showAccountPage(deps, ctx, person, {
    view: 'account-sign-ins',
    status: alert === undefined ? 200 : 409,
    alert,
    data: {
      links: links.map(({ issuer, subject, createdAt }) => ({
        issuer,
        subject,
        provider: providerOf(deps, issuer),
        at: createdAt.toISOString(),
      })),
      hasPassword: person.account.passwordHash !== undefined,
      codeWorks: person.account.email !== undefined && person.account.emailVerified,
    },
  });
}

/** One that is switched off goes by its host. */
function providerOf({ upstreams }: PageDeps, issuer: string): string {
  const upstream = [...upstreams.values()].find((each) => each.issuers.includes(issuer));
  return upstream?.title ?? URL.parse(issuer)?.host ?? issuer;
}
