/** What the account pages share in being shown: brand, form token, the note of what was just done. */
import { sendPage } from '../../http/views/send-page.ts';
import type { Refusal } from '../shared/alert.ts';
import { brandOf } from '../shared/branding.ts';
import { loginShown } from '../shared/login-shown.ts';
import type { Visit } from './session.ts';

/** Words for it are in the catalogue under `pages.account.done`. */
const DONE: ReadonlySet<string> = new Set([
  'saved',
  'address-confirmed',
  'address-changed',
  'password-changed',
  'password-set',
  'linked',
  'codes-made',
  'passkey-added',
  'passkey-removed',
  'app-added',
  'app-removed',
  'unlinked',
  'session-ended',
  'grant-ended',
  'key-deleted',
  'app-password-ended',
  'device-forgotten',
]);

export async function showAccountPage(
  visit: Visit,
  view: string,
  data: Readonly<Record<string, unknown>>,
  { alert, status = 200 }: Refusal = {},
): Promise<void> {
  const { deps, ctx, account, recent } = visit;
  const { done } = ctx.query;
  sendPage(ctx, deps.views, {
    status,
    view,
    languages: account.claims.locale === undefined ? [] : [account.claims.locale],
    brand: await brandOf(deps.identity, deps.views, account),
    data: {
      ...data,
      who: loginShown(account) || (account.claims.name ?? ''),
      recent,
      zone: zoneOf(account.claims.zoneinfo),
      alert,
      done: typeof done === 'string' && DONE.has(done) && alert === undefined ? done : undefined,
      token: deps.forms.tokenFor(ctx, formsOf(visit)),
    },
  });
}

/** What the forms of an account's pages are bound to. */
export function formsOf({ account }: Pick<Visit, 'account'>): string {
  return `account:${account.id}`;
}

function zoneOf(zone: string | undefined): string {
  try {
    return new Intl.DateTimeFormat('en', { timeZone: zone ?? 'UTC' }).resolvedOptions().timeZone;
  } catch {
    return 'UTC';
  }
}
