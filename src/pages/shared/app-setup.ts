/**
 * Setting an authenticator app up, on my account and on the way through a sign-in: its salt waits encrypted until a
 * right code confirms it. Before that the account has no app.
 */
import encodeQR from 'qr';
import { makeState, readState, spendState } from '../../identity/codes/redirect-state.ts';
import type { RequestContext } from '../../identity/context.ts';
import { addApp, appSetup, newAppSalt } from '../../identity/factors/authenticator-app.ts';
import type { ChangedFactors } from '../../identity/factors/change-factors.ts';
import type { AccountRecord } from '../../model/account.ts';
import { FormRefused } from './alert.ts';
import { brandOf } from './branding.ts';
import type { PageDeps } from './deps.ts';
import { loginShown } from './login-shown.ts';

const PURPOSE = 'app-setup';
/** Seconds in which an app can be installed. */
const LIFETIME = 1800;
/** Modules around the code: ISO/IEC 18004. */
const QUIET = 4;

interface Setup {
  readonly account: AccountRecord;
  /** What beginAppSetup resolved with; comes back from the browser. */
  readonly setup: unknown;
}

export function beginAppSetup({ identity }: PageDeps, account: AccountRecord): Promise<string> {
  const { organization, id: accountId } = account;
  const data = { accountId, salt: newAppSalt() };
  return makeState(identity, { purpose: PURPOSE, organization, lifetime: LIFETIME, data });
}

/** What partials/app-form.ejs shows. Undefined: the set-up is over, or another account's. */
export async function appSetupShown(deps: PageDeps, { account, setup }: Setup) {
  const salt = await saltOf(deps, { account, setup });
  if (salt === undefined) return undefined;
  const { name: issuer } = await brandOf(deps.identity, deps.views, account);
  const label = loginShown(account) || account.id;
  const { uri, secret } = appSetup(deps.identity, { accountId: account.id, salt, issuer, label });
  return { setup, uri, secret: secret.replace(/(.{4})(?!$)/g, '$1 '), ...qrCode(uri) };
}

/** Throws FormRefused for a wrong code. Undefined: the set-up is over, or the account has an app. */
export async function confirmAppSetup(
  deps: PageDeps,
  { account, setup, code, context }: Setup & { code: string; context: RequestContext },
): Promise<ChangedFactors | undefined> {
  const salt = await saltOf(deps, { account, setup });
  if (salt === undefined) return undefined;
  const added = await addApp(deps.identity, { accountId: account.id, salt, code, context });
  if (added === 'wrong') throw new FormRefused({ kind: 'app-code-refused' });
  await spendState(deps.identity, asked(setup));
  return added === 'there' ? undefined : added;
}

async function saltOf({ identity }: PageDeps, { account, setup }: Setup): Promise<string | undefined> {
  const kept = await readState(identity, asked(setup));
  const { accountId, salt } = kept?.data ?? {};
  return accountId === account.id && typeof salt === 'string' ? salt : undefined;
}

function asked(setup: unknown) {
  return { purpose: PURPOSE, token: typeof setup === 'string' ? setup.slice(0, 100) : '' };
}

/** As the path of an SVG. */
function qrCode(text: string): { qrSize: number; qrPath: string } {
  const rows = encodeQR(text, 'raw', { border: QUIET });
  const qrPath = rows.flatMap((row, y) => row.map((dark, x) => (dark ? `M${x} ${y}h1v1h-1z` : ''))).join('');
  return { qrSize: rows.length, qrPath };
}
