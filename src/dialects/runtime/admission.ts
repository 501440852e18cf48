/**
 * Accounts as a dialect sees them, and whom it lets in. Blocked accounts never come in, whatever a dialect says;
 * an account that opened itself is known where it did, and elsewhere only by what an operator said.
 */
import type { Config } from '../../config/schema.ts';
import { randomText } from '../../core/crypto.ts';
import { ensureAlias } from '../../identity/accounts/vendor-ids.ts';
import type { Identity } from '../../identity/context.ts';
import type { AccountRecord } from '../../model/account.ts';
import { hasFactor } from '../../model/factors.ts';
import type { AccessInput, DialectSignIn } from '../../oidc/grant-contract.ts';
import type { Dialect, OrganizationView } from '../contract/dialect.ts';
import type { AccountView } from '../contract/endpoint.ts';
import { factorGate } from './factors.ts';
import { type MountedDialect, parseSettings } from './mounted.ts';

/** No secrets, and nothing is stored: `alias` is '' where the account has none yet. */
export function plainView(account: AccountRecord, { name }: Pick<Dialect, 'name'>): AccountView {
  const { email, username, lastSignInAt } = account;
  const view: { -readonly [Name in keyof AccountView]: AccountView[Name] } = {
    id: account.id,
    organization: account.organization,
    status: account.status,
    emailVerified: account.emailVerified,
    hasPassword: account.passwordHash !== undefined,
    hasFactor: hasFactor(account),
    claims: account.claims,
    roles: account.roles,
    alias: account.aliases[name] ?? '',
    vendor: account.vendor[name] ?? {},
    createdAt: account.createdAt,
    updatedAt: account.updatedAt,
  };
  // A list makes thousands: to spread a member that may be absent takes thirty times as long.
  if (email !== undefined) view.email = email;
  if (username !== undefined) view.username = username;
  if (lastSignInAt !== undefined) view.lastSignInAt = lastSignInAt;
  return view;
}

/** Makes the vendor's id and the minted members when they are not there yet, once and for life. */
export async function accountView(
  identity: Identity,
  account: AccountRecord,
  { name, alias, mints }: Pick<Dialect, 'name' | 'alias' | 'mints'>,
): Promise<AccountView> {
  const complete = await ensureAlias(identity, account, { name, form: alias, ...(mints && { mints }) });
  return plainView(complete, { name });
}

/**
 * Opening an account at one place gives nothing at another. Known are accounts that operators made, those
 * opened here or at a place of `admitsFrom`, and those with an operator's role that the dialect admits.
 */
export function knows({ dialect, settings, admitsFrom }: MountedDialect, account: AccountRecord): boolean {
  const { openedAt, roles } = account;
  if (openedAt === undefined || openedAt === dialect.name || admitsFrom.includes(openedAt)) return true;
  return roles.some((role) => dialect.admitsRole?.(role, settings) ?? true);
}

/** Judged before the account gets its alias, so that a refused sign-in stores nothing. */
export function mayEnter(mounted: MountedDialect, account: AccountRecord): boolean {
  const { dialect, settings } = mounted;
  if (account.status === 'blocked' || !knows(mounted, account)) return false;
  if (dialect.admits === undefined) return account.status === 'active';
  return dialect.admits(plainView(account, dialect), settings);
}

/** Whether tokens and API keys of the account go on working. */
export function mayGoOn(mounted: MountedDialect, account: AccountRecord): boolean {
  if (account.status === 'blocked' || !knows(mounted, account)) return false;
  const { dialect, settings } = mounted;
  if (dialect.admitsToken === undefined) return mayEnter(mounted, account);
  return dialect.admitsToken(plainView(account, dialect), settings);
}

/** The same by the dialect's name, for the standard endpoints. A dialect that is switched off lets nothing go on. */
export function createTokenAdmission(options: {
  readonly dialects: readonly Dialect[];
  readonly config: Pick<Config, 'dialects'>;
  readonly identity: Identity;
}): (dialect: string, account: AccountRecord, signIn: DialectSignIn) => Promise<boolean> {
  const mounted = parseSettings(options.dialects, options.config.dialects);
  return async (name, account, signIn) => {
    const result = mounted.find(({ dialect }) => dialect.name === name);
    if (result === undefined || !mayGoOn(result, account)) return false;
    const isEnough = await factorGate(result, options.identity, account.organization);
    return isEnough(account, signIn);
  };
}

/** What an access token of the dialect is made of. */
export function accessTokenOf(
  { dialect: { tokens }, settings }: MountedDialect,
  person: { readonly account: AccountView; readonly organization: OrganizationView },
  issuer: string,
): AccessInput {
  const sharedSecret = tokens.sharedSecret?.(settings);
  return {
    value: tokens.access === 'jwt' ? 'jwt' : randomText(tokens.access),
    lifetime: tokens.accessLifetime(settings),
    audience: tokens.audience(settings, issuer),
    claims: tokens.claims({ ...person, settings }),
    ...(sharedSecret !== undefined && { sharedSecret }),
  };
}
