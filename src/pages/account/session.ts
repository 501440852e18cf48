/**
 * The person who is signed in, and how they sign in: the browser goes to /authorize as the server's own client
 * (oidc/clients/account-client.ts) and comes back with a session. A new sign-in is the same with prompt=login.
 */

import type { Context } from 'koa';
import { randomToken } from '../../core/crypto.ts';
import type { FormFields } from '../../http/forms/read-form.ts';
import { seeOther, sendPage } from '../../http/views/send-page.ts';
import { type Judged, lacksFactor } from '../../identity/factors/policy.ts';
import { wasInPerson, wasRecent } from '../../identity/sign-in/recent.ts';
import type { AccountRecord } from '../../model/account.ts';
import { hasFactor } from '../../model/factors.ts';
import { ACCOUNT_RETURN, ACR, accountClientId } from '../../oidc/contract.ts';
import type { Refusal } from '../shared/alert.ts';
import type { Page, PageDeps } from '../shared/deps.ts';
import { organizationAsked, requestContext } from '../shared/request-context.ts';

/** Where a sign-in may lead back to; anything else leads to the first. */
const PAGES: ReadonlySet<string> = new Set([
  '/account',
  '/account/profile',
  '/account/address',
  '/account/password',
  '/account/factors',
  '/account/sign-ins',
  '/account/access',
  '/account/keys',
  '/account/data',
  '/account/delete',
]);

/** A request to an account page, by a person who is signed in. */
export interface Visit {
  readonly deps: PageDeps;
  readonly ctx: Context;
  readonly context: ReturnType<typeof requestContext>;
  /** Without fields where none was sent. */
  readonly form: FormFields;
  readonly account: AccountRecord;
  /** What is asked of the account, as of a sign-in to any app. */
  readonly policies: Judged['policies'];
  readonly sessionUid: string;
  /** The sign-in was the person's own, not single sign-on. */
  readonly inPerson: boolean;
  /** It is minutes old besides, and with a second factor where the account has one. */
  readonly recent: boolean;
  /** It lacks a second factor, as for any app: a session of before, or by single sign-on. */
  readonly lacksFactor: boolean;
}

/** `refusal`: of the form that the person has just sent. */
export type AccountPage = (visit: Visit, refusal?: Refusal) => Promise<void> | void;
/** Resolves with the address of the page that shows what was done; undefined: the reply is made. */
export type AccountForm = (visit: Visit) => Promise<string | undefined>;

/** Undefined: no person is signed in in this browser, or the account is not active. */
export async function findVisit(
  deps: PageDeps,
  ctx: Context,
  form: FormFields = new URLSearchParams(),
): Promise<Visit | undefined> {
  const { sessions, identity } = deps;
  const session = await sessions.read(ctx.req, ctx.res);
  if (session === undefined) return undefined;
  const account = await identity.stores.accounts.byId(session.accountId);
  if (account?.status !== 'active') return undefined;
  const now = identity.clock.now();
  const policies = [await identity.factorPolicy(account.organization)];
  return {
    ...{ deps, ctx, form, context: requestContext(ctx) },
    ...{ account, policies, sessionUid: session.uid, inPerson: wasInPerson(session) },
    recent: wasRecent(session, account, now),
    lacksFactor: lacksFactor(session, { account, policies, now }),
  };
}

/** Sends the browser to sign in (with `account`: again) and then to the page. */
export async function askToSignIn(
  { deps, ctx, account }: Pick<Visit, 'deps' | 'ctx'> & Partial<Pick<Visit, 'account'>>,
  page: string,
): Promise<void> {
  const { email, username, organization } = account ?? {};
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
    ...(account && { prompt: 'login' }),
    ...(account && hasFactor(account) && { acr_values: ACR.stepup }),
    ...(login !== undefined && { login_hint: login }),
  });
  seeOther(ctx, `/authorize?${query}`);
}

/** Asks for the sign-in again, before a page that requires a recent one; also where the session lacks a factor. */
export const again: Page = async (deps, ctx) =>
  askToSignIn((await findVisit(deps, ctx)) ?? { deps, ctx }, String(ctx.query.page));

/** The parameters that the provider adds are ignored: the session counts. */
export const signedIn: Page = async (deps, ctx) => {
  const { state, error } = ctx.query;
  const refused = typeof error === 'string';
  // Without a session, leading on would lead in a circle: cookies are blocked, or the account is not active.
  if (!refused && (await findVisit(deps, ctx)) === undefined) {
    sendPage(ctx, deps.views, { status: 403, view: 'account-closed', data: {} });
    return;
  }
  seeOther(ctx, refused ? '/' : safe(state));
};

function safe(page: unknown): string {
  return typeof page === 'string' && PAGES.has(page) ? page : '/account';
}
