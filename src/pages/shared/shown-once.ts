/**
 * What is shown once: it waits encrypted behind a one-use link token for the page that shows it to its account, so
 * that reloading makes no second one.
 */
import type { Context } from 'koa';
import { makeState, readState, spendState } from '../../identity/codes/redirect-state.ts';
import type { ChangedFactors } from '../../identity/factors/change-factors.ts';
import type { AccountRecord } from '../../model/account.ts';
import { textsOf } from '../../model/json.ts';
import type { PageDeps } from './deps.ts';

/** Seconds between making it and showing it. */
const SHOWN_WITHIN = 60;

const CODES = 'recovery-codes-shown';

type What = 'api-key-shown' | 'app-password-shown' | typeof CODES;

/** Resolves with what the page's address says. */
export function putToShow(
  { identity }: Pick<PageDeps, 'identity'>,
  { account, purpose, texts }: { account: AccountRecord; purpose: What; texts: readonly string[] },
): Promise<string> {
  const { organization, id: accountId } = account;
  const data = { texts: [...texts], accountId };
  return makeState(identity, { purpose, organization, lifetime: SHOWN_WITHIN, data });
}

/** Undefined: it was shown, or is another account's. A link preview asks with HEAD, which must not use it up. */
export async function takeToShow(
  { identity }: Pick<PageDeps, 'identity'>,
  ctx: Context,
  { account, purpose, token }: { account: AccountRecord; purpose: What; token: unknown },
): Promise<string[] | undefined> {
  if (typeof token !== 'string' || ctx.method !== 'GET') return undefined;
  const asked = { purpose, token: token.slice(0, 100) };
  if ((await readState(identity, asked))?.data.accountId !== account.id) return undefined;
  return textsOf((await spendState(identity, asked))?.data.texts);
}

/** The page's address, with what it shows new recovery codes by, where there are any. */
export async function showingCodes(
  deps: Pick<PageDeps, 'identity'>,
  address: string,
  { account, recoveryCodes: texts }: ChangedFactors,
): Promise<string> {
  if (texts === undefined) return address;
  const token = await putToShow(deps, { account, purpose: CODES, texts });
  return `${address}${address.includes('?') ? '&' : '?'}codes=${token}`;
}

/** The recovery codes that the address was made for. */
export function codesToShow(
  deps: Pick<PageDeps, 'identity'>,
  ctx: Context,
  account: AccountRecord,
): Promise<string[] | undefined> {
  return takeToShow(deps, ctx, { account, purpose: CODES, token: ctx.query.codes });
}
