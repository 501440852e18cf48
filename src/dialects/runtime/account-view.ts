/** An account as a dialect sees it: no secrets, with the vendor's id and its minted members in place. */
import { ensureAlias } from '../../identity/accounts/vendor-ids.ts';
import type { Identity } from '../../identity/context.ts';
import type { AccountRecord } from '../../model/account.ts';
import type { Dialect } from '../contract/dialect.ts';
import type { AccountView } from '../contract/endpoint.ts';

type Vendor = Pick<Dialect, 'name' | 'alias' | 'mints'>;

/** Without storing anything: `alias` is '' where the account has none yet. */
export function plainView(account: AccountRecord, vendor: Vendor): AccountView {
  return {
    id: account.id,
    organization: account.organization,
    status: account.status,
    ...(account.email === undefined ? {} : { email: account.email }),
    emailVerified: account.emailVerified,
    ...(account.username === undefined ? {} : { username: account.username }),
    hasPassword: account.passwordHash !== undefined,
    claims: account.claims,
    roles: account.roles,
    alias: account.aliases[vendor.name] ?? '',
    vendor: account.vendor[vendor.name] ?? {},
    createdAt: account.createdAt,
    updatedAt: account.updatedAt,
    ...(account.lastSignInAt === undefined ? {} : { lastSignInAt: account.lastSignInAt }),
  };
}

/** Makes the vendor's id and the minted members when they are not there yet, once and for life. */
export async function accountView(
  identity: Identity,
  account: AccountRecord,
  vendor: Vendor,
): Promise<AccountView> {
  const members = account.vendor[vendor.name] ?? {};
  const complete =
    account.aliases[vendor.name] !== undefined &&
    Object.keys(vendor.mints ?? {}).every((member) => members[member] !== undefined);
  if (complete) return plainView(account, vendor);
  const input = { name: vendor.name, form: vendor.alias };
  const completed = await ensureAlias(
    identity,
    account,
    vendor.mints === undefined ? input : { ...input, mints: vendor.mints },
  );
  return plainView(completed, vendor);
}
