/** What the account pages share in being shown: brand, form token, the note of what was just done. */
import type { Context } from 'koa';
import type { Refused } from '../../core/refused.ts';
import { sendPage } from '../../http/views/send-page.ts';
import { type Alert, alertFor, statusFor } from '../shared/alert.ts';
import { brandOf } from '../shared/branding.ts';
import type { PageDeps } from '../shared/deps.ts';
import { formsOf, type Person } from './routes.ts';

/** Words for it are in the catalogue under `pages.account.done`. */
const DONE: ReadonlySet<string> = new Set([
  'saved',
  'address-confirmed',
  'address-changed',
  'password-changed',
  'password-set',
  'unlinked',
  'session-ended',
  'grant-ended',
  'key-deleted',
]);

export async function showAccountPage(
  deps: PageDeps,
  ctx: Context,
  person: Person,
  page: { view: string; data: Readonly<Record<string, unknown>>; status?: number; alert?: Alert | undefined },
): Promise<void> {
  const { account } = person;
  const { done } = ctx.query;
  sendPage(ctx, deps.views, {
    status: page.status ?? 200,
    view: page.view,
    languages: account.claims.locale === undefined ? [] : [account.claims.locale],
    brand: await brandOf(deps.identity, deps.views, account),
    data: {
      ...page.data,
      who: account.email ?? account.username ?? account.claims.name ?? '',
      recent: person.recent,
      zone: zoneOf(account.claims.zoneinfo),
      alert: page.alert,
      done: typeof done === 'string' && DONE.has(done) && page.alert === undefined ? done : undefined,
      token: deps.forms.tokenFor(ctx, formsOf(person)),
    },
  });
}

/** To the page that shows what was done. */
export function leadTo(ctx: Context, page: string, done?: string): void {
  ctx.redirect(done === undefined ? page : `${page}?done=${done}`);
  ctx.status = 303;
}

/** The alert and status of a refusal; rethrows one that is none of the person's doing. */
export function refusedBy(ctx: Context, refusal: Refused, words: { minimum?: number } = {}) {
  if (refusal.retryAfter !== undefined) ctx.set('Retry-After', String(refusal.retryAfter));
  return { alert: alertFor(refusal, words), status: statusFor(refusal) };
}

function zoneOf(zone: string | undefined): string {
  try {
    return new Intl.DateTimeFormat('en', { timeZone: zone ?? 'UTC' }).resolvedOptions().timeZone;
  } catch {
    return 'UTC';
  }
}
