/**
 * Who is signed in, and the way to it: the browser goes to /authorize as the server's own client
 * (oidc/account-client.ts) and comes back with a session. Proving it again is the same with prompt=login.
 */

import type { Context } from 'koa';
import { randomToken } from '../../core/crypto.ts';
import { sendPage } from '../../http/views/send-page.ts';
import { findAccount } from '../../identity/accounts/find-account.ts';
import { wasInPerson, wasRecent } from '../../identity/sign-in/recent.ts';
import { ACCOUNT_RETURN, accountClientId } from '../../oidc/contract.ts';
import type { PageDeps } from '../shared/deps.ts';
import { organizationAsked } from '../shared/organization-asked.ts';
import type { AccountHandlers } from './routes.ts';

/** Where a sign-in may lead back to; anything else leads to the first. */
const PAGES: ReadonlySet<string> = new Set([
  '/account',
  '/account/profile',
  '/account/address',
  '/account/password',
  '/account/sign-ins',
  '/account/access',
  '/account/keys',
  '/account/data',
  '/account/delete',
]);

export function findPerson({ sessions, identity }: PageDeps): AccountHandlers['find'] {
  return async (ctx) => {
    const session = await sessions.read(ctx.req, ctx.res);
    if (session === undefined) return undefined;
    const account = await findAccount(identity, { id: session.accountId });
    if (account?.status !== 'active') return undefined;
    const inPerson = wasInPerson(session);
    return { account, sessionUid: session.uid, inPerson, recent: wasRecent(session, identity.clock.now()) };
  };
}

export function askToSignIn(deps: PageDeps): AccountHandlers['askToSignIn'] {
  return async (ctx, page, person) => {
    const organization = person?.account.organization ?? (await organizationFor(deps, ctx));
    const login = person?.account.email ?? person?.account.username;
    const query = new URLSearchParams({
      client_id: accountClientId(organization),
      response_type: 'code',
      redirect_uri: deps.identity.issuer + ACCOUNT_RETURN,
      scope: 'openid',
      // The challenge of a verifier that nobody has: the code that comes back is good for nothing.
      code_challenge: randomToken(),
      code_challenge_method: 'S256',
      state: safe(page),
      ...(person === undefined ? {} : { prompt: 'login' }),
      ...(login === undefined ? {} : { login_hint: login }),
    });
    ctx.redirect(`/authorize?${query}`);
    ctx.status = 303;
  };
}

/** Asks for the sign-in again, before a page that wants a recent one. */
export function again(deps: PageDeps): AccountHandlers['again'] {
  const ask = askToSignIn(deps);
  return (ctx, person) => ask(ctx, typeof ctx.query.page === 'string' ? ctx.query.page : '', person);
}

/** What the provider sends along is not looked at: the session counts. */
export function signedIn(deps: PageDeps): AccountHandlers['signedIn'] {
  const find = findPerson(deps);
  return async (ctx) => {
    const { state, error } = ctx.query;
    const refused = typeof error === 'string';
    // Without a session, leading on would lead in a circle: cookies are blocked, or the account is not active.
    if (!refused && (await find(ctx)) === undefined) {
      sendPage(ctx, deps.views, { status: 403, view: 'account-closed', data: {} });
      return;
    }
    ctx.redirect(refused ? '/' : safe(state));
    ctx.status = 303;
  };
}

function safe(page: unknown): string {
  return typeof page === 'string' && PAGES.has(page) ? page : '/account';
}

/** The one that is named, else the one whose host this is, else the first that every installation has. */
async function organizationFor({ identity }: PageDeps, ctx: Context): Promise<string> {
  return (await organizationAsked({ identity }, ctx, ctx.query.organization)) ?? 'default';
}
