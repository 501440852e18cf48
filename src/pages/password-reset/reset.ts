/**
 * The page that reset emails lead to. Opening it spends nothing, because mail scanners open links; the
 * link token is spent when an acceptable password has been entered. The email cannot be skipped: the form
 * carries the link token, and the account comes from it alone (CVE-2023-26481). It signs no browser in.
 */
import type { Context } from 'koa';
import { requestInfoOf } from '../../http/request/request-context.ts';
import { seeOther, sendPage } from '../../http/views/send-page.ts';
import { RESET, readLinkToken } from '../../identity/codes/link-token.ts';
import { resetPassword } from '../../identity/self-service/reset-password.ts';
import type { AccountRecord } from '../../model/account.ts';
import { type Refusal, refusedBy } from '../shared/alert.ts';
import { brandOf } from '../shared/branding.ts';
import type { Page, PageDeps, PageForm } from '../shared/deps.ts';
import { loginShown } from '../shared/login-shown.ts';
import { organizationAsked, requestContext } from '../shared/request-context.ts';
import { appOf, lastClient } from '../shared/return-to-app.ts';

/** Longer than any link token of ours. */
const LONGEST_LINK_TOKEN = 200;

interface ResetState extends Refusal {
  readonly token: string;
  readonly account: AccountRecord;
}

export const showReset: Page = async (deps, ctx) => {
  const token = typeof ctx.query.token === 'string' ? ctx.query.token : undefined;
  const linkToken = await find(deps, token);
  if (token === undefined || linkToken === undefined) await refuse(deps, ctx);
  else await show(deps, ctx, { token, account: linkToken.account });
};

export const setNewPassword: PageForm = async (deps, ctx, form) => {
  const { identity, passwordMinimum: minimum } = deps;
  const token = form.get('token') ?? undefined;
  const linkToken = await tryLinkToken(deps, token, requestInfoOf(ctx).address);
  if (token === undefined || linkToken === undefined) {
    await refuse(deps, ctx);
    return;
  }
  const { account } = linkToken;
  const password = form.get('password') ?? '';
  try {
    const reset = await resetPassword(identity, { token, password, minimum, context: requestContext(ctx) });
    if (reset === undefined) {
      await refuse(deps, ctx);
      return;
    }
  } catch (error) {
    await show(deps, ctx, { token, account, ...refusedBy(deps, ctx, error) });
    return;
  }
  seeOther(ctx, `/reset/done?organization=${encodeURIComponent(account.organization)}`);
};

export const resetDone: Page = async (deps, ctx) => {
  const { organization, client, brand } = await whereFrom(deps, ctx);
  const app = client && appOf(deps, client);
  sendPage(ctx, deps.views, { view: 'reset-done', brand, data: { app, organization } });
};

/** A wrong link token costs the client address what a wrong password does. */
async function tryLinkToken(deps: PageDeps, token: string | undefined, address: string) {
  const hold = await deps.identity.attempts.beginAt(address);
  let settle = hold.release;
  try {
    const linkToken = await find(deps, token);
    if (linkToken === undefined) settle = hold.charge;
    return linkToken;
  } finally {
    await settle();
  }
}

async function find(deps: PageDeps, token: string | undefined) {
  if (token === undefined || token === '' || token.length > LONGEST_LINK_TOKEN) return undefined;
  return readLinkToken(deps.identity, { token, purpose: RESET });
}

async function show(deps: PageDeps, ctx: Context, state: ResetState): Promise<void> {
  // The address of this page is the secret: no link and no stylesheet may carry it on.
  ctx.set('Referrer-Policy', 'no-referrer');
  sendPage(ctx, deps.views, {
    status: state.status ?? 200,
    view: 'reset',
    brand: await brandOf(deps.identity, deps.views, state.account),
    data: {
      token: state.token,
      formToken: deps.forms.tokenFor(ctx, RESET),
      account: loginShown(state.account),
      minimum: deps.passwordMinimum,
      alert: state.alert,
    },
  });
}

async function refuse(deps: PageDeps, ctx: Context): Promise<void> {
  const { organization, client, brand } = await whereFrom(deps, ctx);
  ctx.set('Referrer-Policy', 'no-referrer');
  const data = { organization, clientId: client?.clientId ?? '' };
  sendPage(ctx, deps.views, { status: 400, view: 'reset-refused', brand, data });
}

/** A link that is over says no more than its address; the app is the one that sent this browser here last. */
async function whereFrom(deps: PageDeps, ctx: Context) {
  const last = await lastClient(deps, ctx);
  const named = ctx.query.organization ?? last?.organization;
  const organization = await organizationAsked(deps, ctx, named);
  const client = last?.organization === organization ? last : undefined;
  const brand = await brandOf(deps.identity, deps.views, { organization, ...(client && { client }) });
  return { organization, client, brand };
}
