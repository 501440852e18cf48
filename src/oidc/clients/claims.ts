/** The claims of id_token and UserInfo: which accounts the provider may see, and what a client may read of them. */
import type { Account, Client, Configuration } from 'oidc-provider';
import type { AccountRecord } from '../../model/account.ts';
import type { AccountStore } from '../../store/ports/accounts.ts';
import type { ProviderContext } from '../provider/context.ts';
import { traitsOf } from './clients.ts';

/** Scope -> claims (OIDC Core 5.4, and Portico's own two). */
export const CLAIMS_BY_SCOPE = {
  // acr, amr and auth_time stand in every ID token, so that a client can tell how strong a sign-in was.
  openid: ['sub', 'acr', 'amr', 'auth_time'],
  profile: [
    'name',
    'given_name',
    'family_name',
    'middle_name',
    'nickname',
    'preferred_username',
    'profile',
    'website',
    'picture',
    'gender',
    'birthdate',
    'zoneinfo',
    'locale',
    'updated_at',
  ],
  email: ['email', 'email_verified'],
  phone: ['phone_number', 'phone_number_verified'],
  address: ['address'],
  organization: ['organization'],
  roles: ['roles'],
} satisfies NonNullable<Configuration['claims']>;

/**
 * The provider's findAccount. Undefined, as though there were no such account: unknown, not active, or of
 * another organization than the client that asks. So the sessions and tokens of an account that is not active
 * do nothing, and work again when it is.
 */
export function createAccountFinder(accounts: AccountStore) {
  return async function findAccount(ctx: ProviderContext, accountId: string): Promise<Account | undefined> {
    const account = await accounts.byId(accountId);
    if (!account || !isActive(account)) return undefined;
    if (ctx.oidc.client && !serves(ctx.oidc.client, account)) return undefined;
    return { accountId: account.id, claims: async () => ({ ...claimsOf(account) }) };
  };
}

export function isActive(account: AccountRecord): boolean {
  return account.status === 'active';
}

export function serves(client: Client, account: AccountRecord): boolean {
  return traitsOf(client).organization === account.organization;
}

/** What a table of claim names and account members makes of an account; members that it lacks are left out. */
export function mappedClaims(
  account: AccountRecord,
  table: Readonly<Record<string, string>>,
): Record<string, unknown> {
  const all = claimsOf(account);
  const known = Object.entries(table).filter(([, member]) => Object.hasOwn(all, member));
  return Object.fromEntries(known.map(([claim, member]) => [claim, all[member]]));
}

function claimsOf(account: AccountRecord): { sub: string; [claim: string]: unknown } {
  const { claims } = account;
  const all = {
    sub: account.id,
    ...claims,
    preferred_username: account.username,
    updated_at: Math.floor(account.updatedAt.getTime() / 1000),
    email: account.email,
    email_verified: account.email === undefined ? undefined : account.emailVerified,
    phone_number_verified:
      claims.phone_number === undefined ? undefined : (claims.phone_number_verified ?? false),
    organization: account.organization,
    roles: account.roles,
  };
  const known = Object.entries(all).filter(([, value]) => value !== undefined);
  return { ...Object.fromEntries(known), sub: all.sub };
}
