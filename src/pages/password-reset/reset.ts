/**
 * The page that reset letters lead to. Opening it spends nothing, because mail scanners open links; the
 * ticket is spent when a password has been entered that will be taken. The letter cannot be skipped: the
 * form carries the ticket itself, and the account comes from the ticket alone (CVE-2023-26481). Nobody is
 * signed in by it (security.md W6).
 */
import type { Context } from 'koa';
import { Refused } from '../../core/refused.ts';
import type { Shows, Submits } from '../../http/forms/guards.ts';
import { factsOf } from '../../http/request/request-context.ts';
import { sendPage } from '../../http/views/send-page.ts';
import { RESET, readTicket } from '../../identity/codes/link-token.ts';
import { resetPassword } from '../../identity/self-service/reset-password.ts';
import type { AccountRecord } from '../../model/account.ts';
import type { Alert } from '../shared/alert.ts';
import { alertFor, statusFor } from '../shared/alert.ts';
import { brandOf } from '../shared/branding.ts';
import type { PageParts } from '../shared/deps.ts';
import { organizationAsked } from '../shared/organization-asked.ts';
import { originOf } from '../shared/request-origin.ts';
import { appOf, lastClient } from '../shared/return-to-app.ts';

/** Longer than any ticket of ours. */
const LONGEST_TICKET = 200;

interface ResetState {
  readonly token: string;
  readonly account: AccountRecord;
  readonly alert?: Alert;
  readonly status?: number;
}

export function showReset(parts: PageParts): Shows {
  return async (ctx) => {
    const token = typeof ctx.query.token === 'string' ? ctx.query.token : undefined;
    const ticket = await find(parts, token);
    if (token === undefined || ticket === undefined) await refuse(parts, ctx);
    else await show(parts, ctx, { token, account: ticket.account });
  };
}

export function setNewPassword(parts: PageParts): Submits {
  const minimum = parts.passwordMinimum;
  return async (ctx, form) => {
    const { identity } = parts;
    const token = form.get('token') ?? undefined;
    const ticket = await tryTicket(parts, token, factsOf(ctx).address);
    if (token === undefined || ticket === undefined) {
      await refuse(parts, ctx);
      return;
    }
    const { account } = ticket;
    const password = form.get('password') ?? '';
    try {
      const reset = await resetPassword(identity, { token, password, minimum, origin: originOf(ctx) });
      if (reset === undefined) {
        await refuse(parts, ctx);
        return;
      }
    } catch (error) {
      if (!(error instanceof Refused)) throw error;
      await show(parts, ctx, {
        token,
        account,
        alert: alertFor(error, { minimum }),
        status: statusFor(error),
      });
      return;
    }
    ctx.redirect(`/reset/done?organization=${encodeURIComponent(account.organization)}`);
    ctx.status = 303;
  };
}

export function resetDone(parts: PageParts): Shows {
  return async (ctx) => {
    const { organization, client, brand } = await whereFrom(parts, ctx);
    const app = client && appOf(parts, client);
    sendPage(ctx, parts.views, { view: 'reset-done', brand, data: { app, organization } });
  };
}

/** A wrong ticket costs the client address what a wrong password does. */
async function tryTicket(parts: PageParts, token: string | undefined, address: string) {
  const hold = await parts.identity.attempts.beginAt(address);
  let settle = hold.release;
  try {
    const ticket = await find(parts, token);
    if (ticket === undefined) settle = hold.charge;
    return ticket;
  } finally {
    await settle();
  }
}

async function find(parts: PageParts, token: string | undefined) {
  if (token === undefined || token === '' || token.length > LONGEST_TICKET) return undefined;
  return readTicket(parts.identity, { token, purpose: RESET });
}

async function show(parts: PageParts, ctx: Context, state: ResetState): Promise<void> {
  // The address of this page is the secret: no link and no stylesheet may carry it on.
  ctx.set('Referrer-Policy', 'no-referrer');
  sendPage(ctx, parts.views, {
    status: state.status ?? 200,
    view: 'reset',
    brand: await brandOf(parts.identity, parts.views, state.account),
    data: {
      token: state.token,
      formToken: parts.forms.tokenFor(ctx, RESET),
      account: state.account.email ?? state.account.username ?? '',
      minimum: parts.passwordMinimum,
      alert: state.alert,
    },
  });
}

async function refuse(parts: PageParts, ctx: Context): Promise<void> {
  const { organization, client, brand } = await whereFrom(parts, ctx);
  ctx.set('Referrer-Policy', 'no-referrer');
  const data = { organization, clientId: client?.clientId ?? '' };
  sendPage(ctx, parts.views, { status: 400, view: 'reset-refused', brand, data });
}

/** A link that is over says no more than its address; the app is the one that sent this browser here last. */
async function whereFrom(parts: PageParts, ctx: Context) {
  const last = await lastClient(parts, ctx);
  const named = ctx.query.organization ?? last?.organization;
  const organization = (await organizationAsked(parts, ctx, named)) ?? 'default';
  const client = last?.organization === organization ? last : undefined;
  const brand = await brandOf(parts.identity, parts.views, { organization, ...(client && { client }) });
  return { organization, client, brand };
}
