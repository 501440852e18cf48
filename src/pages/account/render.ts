/** What the account pages share in being shown: brand, form token, the note of what was just done. */
import type { Context } from 'koa';
import { seeOther, sendPage } from '../../http/views/send-page.ts';
import type { Alert } from '../shared/alert.ts';
import { brandOf } from '../shared/branding.ts';
import type { PageDeps } from '../shared/deps.ts';
import type { Person } from './session.ts';

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
  seeOther(ctx, done === undefined ? page : `${page}?done=${done}`);
}

/** What the forms of an account's pages are bound to. */
export function formsOf({ account }: Person): string {
  return `account:${account.id}`;
}

function zoneOf(zone: string | undefined): string {
  try {
    return new Intl.DateTimeFormat('en', { timeZone: zone ?? 'UTC' }).resolvedOptions().timeZone;
  } catch {
    return 'UTC';
  }
}
