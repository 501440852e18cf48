/**
 * The person who is signed in, and how they sign in: the browser goes to /authorize as the server's own client
 * (oidc/clients/account-client.ts) and comes back with a session. A new sign-in is the same with prompt=login.
 */

import type { Context } from 'koa';
import { randomToken } from '../../core/crypto.ts';
import type { FormFields } from '../../http/forms/read-form.ts';
import { seeOther, sendPage } from '../../http/views/send-page.ts';
import { findAccount } from '../../identity/accounts/find-account.ts';
import { wasInPerson, wasRecent } from '../../identity/sign-in/recent.ts';
import type { AccountRecord } from '../../model/account.ts';
import { ACCOUNT_RETURN, accountClientId } from '../../oidc/contract.ts';
import type { Page, PageDeps } from '../shared/deps.ts';
import { organizationAsked } from '../shared/request-context.ts';

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

/** A person who is signed in. */
export interface Person {
  readonly account: AccountRecord;
  readonly sessionUid: string;
  /** The sign-in was the person's own, not single sign-on. */
  readonly inPerson: boolean;
  /** It is minutes old besides. */
  readonly recent: boolean;
}

export type AccountPage = (deps: PageDeps, ctx: Context, person: Person) => Promise<void> | void;
export type AccountForm = (deps: PageDeps, ctx: Context, person: Person, form: FormFields) => Promise<void>;

export async function findPerson(
  { sessions, identity }: PageDeps,
  ctx: Context,
): Promise<Person | undefined> {
  const session = await sessions.read(ctx.req, ctx.res);
  if (session === undefined) return undefined;
  const account = await findAccount(identity, { id: session.accountId });
  if (account?.status !== 'active') return undefined;
  const inPerson = wasInPerson(session);
  return { account, sessionUid: session.uid, inPerson, recent: wasRecent(session, identity.clock.now()) };
}

/** Sends the browser to sign in (`person`: again) and then to the page. */
export async function askToSignIn(
  deps: PageDeps,
  ctx: Context,
  page: string,
  person?: Person,
): Promise<void> {
  const { email, username, organization } = person?.account ?? {};
  const login = email ?? username;
  const query = new URLSearchParams({
    client_id: accountClientId(organization ?? (await organizationAsked(deps, ctx, ctx.query.organization))),
    response_type: 'code',
    redirect_uri: deps.identity.issuer + ACCOUNT_RETURN,
    scope: 'openid',
    // The challenge of a verifier that is never made: the code that comes back is good for nothing.
    code_challenge: randomToken(),
    code_challenge_method: 'S256',
    state: safe(page),
    ...(person === undefined ? {} : { prompt: 'login' }),
    ...(login === undefined ? {} : { login_hint: login }),
  });
  seeOther(ctx, `/authorize?${query}`);
}

/** Asks for the sign-in again, before a page that requires a recent one. */
export const again: AccountPage = (deps, ctx, person) =>
  askToSignIn(deps, ctx, typeof ctx.query.page === 'string' ? ctx.query.page : '', person);

/** The parameters that the provider adds are ignored: the session counts. */
export const signedIn: Page = async (deps, ctx) => {
  const { state, error } = ctx.query;
  const refused = typeof error === 'string';
  // Without a session, leading on would lead in a circle: cookies are blocked, or the account is not active.
  if (!refused && (await findPerson(deps, ctx)) === undefined) {
    sendPage(ctx, deps.views, { status: 403, view: 'account-closed', data: {} });
    return;
  }
  seeOther(ctx, refused ? '/' : safe(state));
};

function safe(page: unknown): string {
  return typeof page === 'string' && PAGES.has(page) ? page : '/account';
}
