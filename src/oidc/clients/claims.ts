/** The claims of id_token and UserInfo: which accounts the provider may see, and what a client may read of them. */
import type {
  Account,
  AuthorizationCode,
  Client,
  Configuration,
  DeviceCode,
  RefreshToken,
} from 'oidc-provider';
import type { AccountRecord } from '../../model/account.ts';
import type { ClaimMapping } from '../../model/claim-mapping.ts';
import { servesOrganization } from '../../model/client.ts';
import type { AccountStore } from '../../store/ports/accounts.ts';
import type { ProviderContext } from '../provider/context.ts';
import { traitsOf } from './clients.ts';
import { createFactorJudge, type FactorDeps, signInBehind, withRecord } from './factors.ts';
import { servesSeveral } from './organizations.ts';

/**
 * Where an account's claims hold those that a client gets besides (extensions/claims.ts). A symbol: no client can ask
 * for it by the claims parameter, and the provider copies it with the others.
 */
export const BESIDES = Symbol('claims besides');

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

/** With the further names of `roles`: the scope `roles` gives them all, and each is a scope of its own. */
export function claimsByScope(rolesAliases: readonly string[]): Record<string, string[]> {
  return {
    ...structuredClone(CLAIMS_BY_SCOPE),
    ...Object.fromEntries(rolesAliases.map((name) => [name, [name]])),
    roles: [...CLAIMS_BY_SCOPE.roles, ...rolesAliases],
  };
}

/**
 * The provider's findAccount. Undefined, as though there were no such account: unknown, not active, or of
 * another organization than the client that asks; and where a token carries on a sign-in that lacks a second
 * factor. So the sessions and tokens of an account that is not active do nothing, and work again when it is.
 */
export function createAccountFinder({
  accounts,
  rolesAliases,
  ...factors
}: {
  accounts: AccountStore;
  rolesAliases: readonly string[];
} & FactorDeps) {
  const view = createAccountViewer(rolesAliases);
  const lacksFactor = createFactorJudge(factors);
  return async function findAccount(
    ctx: Asker,
    accountId: string,
    token?: FoundBy,
  ): Promise<KnownAccount | undefined> {
    const account = await accounts.byId(accountId);
    const found = account && view(ctx, account);
    if (account === undefined || found === undefined) return undefined;
    if (isSignIn(token) && (await lacksFactor(signInBehind(token), account, ctx.oidc.client)))
      return undefined;
    return withRecord(found, account);
  };
}

type FoundBy = Parameters<NonNullable<Configuration['findAccount']>>[2];

function isSignIn(token: FoundBy): token is AuthorizationCode | DeviceCode | RefreshToken {
  return ['AuthorizationCode', 'DeviceCode', 'RefreshToken'].includes(token?.kind ?? '');
}

export type Claims = Record<string, unknown>;

/** As the provider knows it. `besides`: the claims that its client gets beyond the provider's own rule. */
export interface KnownAccount extends Account {
  besides(use: string, scope: string): Claims;
}

export interface Asker {
  readonly oidc: Pick<ProviderContext['oidc'], 'client' | 'params' | 'grant'>;
}

/** An account as the provider sees it; undefined as above. */
export function createAccountViewer(rolesAliases: readonly string[]) {
  const byScope = claimsByScope(rolesAliases);
  const allOf = (account: AccountRecord) => ({
    ...membersOf(account),
    ...rolesUnder(rolesAliases, account),
  });
  return (ctx: Asker, account: AccountRecord): KnownAccount | undefined => {
    if (!isActive(account)) return undefined;
    if (ctx.oidc.client && !serves(ctx.oidc.client, account)) return undefined;
    // Single sign-on stays within one organization: a session of another one is none for this request.
    const { organization = account.organization } = ctx.oidc.params ?? {};
    if (organization !== account.organization) return undefined;
    const { client, grant } = ctx.oidc;
    const besides = (use: string, scope: string): Claims => {
      const traits = client && traitsOf(client);
      if (traits === undefined) return {};
      const isWhole = use === 'id_token' && traits.idTokenClaims;
      // Without it the client could not tell whose person it is.
      const whose = servesSeveral(traits) ? { organization: account.organization } : {};
      if (!isWhole && Object.keys(traits.claims).length === 0) return whose;
      const scopes = grant?.getOIDCScopeFiltered(new Set(scope.split(' '))).split(' ') ?? [];
      const granted = new Set(scopes.flatMap((name) => byScope[name] ?? []));
      const whole = isWhole ? pick(allOf(account), granted) : {};
      return { ...whole, ...mappedClaims(account, grantedOf(traits.claims, granted)), ...whose };
    };
    return {
      accountId: account.id,
      organization: account.organization,
      besides,
      claims: async (use, scope) => ({
        ...allOf(account),
        sub: account.id,
        [BESIDES]: besides(use, scope),
      }),
    };
  };
}

export function isActive(account: AccountRecord): boolean {
  return account.status === 'active';
}

export function serves(client: Client, account: AccountRecord): boolean {
  return servesOrganization(traitsOf(client), account.organization);
}

function rolesUnder(names: readonly string[], { roles }: AccountRecord): Record<string, string[]> {
  return Object.fromEntries(names.map((name) => [name, roles]));
}

const OF_SOME_SCOPE: ReadonlySet<string> = new Set(Object.values(CLAIMS_BY_SCOPE).flat());

/** A member that some scope gives is shown with that scope; the others come with the table. */
function grantedOf(table: ClaimMapping, granted: ReadonlySet<string>): ClaimMapping {
  const scoped = (member: string) => (member === 'username' ? 'preferred_username' : member);
  const may = (member: string) => !OF_SOME_SCOPE.has(scoped(member)) || granted.has(scoped(member));
  return Object.fromEntries(Object.entries(table).filter(([, member]) => may(member)));
}

/** What a table of claim names and account members makes of an account; members that it lacks are left out. */
export function mappedClaims(account: AccountRecord, table: ClaimMapping): Record<string, unknown> {
  const all = membersOf(account);
  const shown = Object.entries(table).map(([claim, member]) => [claim, accountMember(account, all, member)]);
  return Object.fromEntries(shown.filter(([, value]) => value !== undefined));
}

/** `vendor.medisync.department`, `aliases.medisync`, or a name of `all`. */
function accountMember(account: AccountRecord, all: Record<string, unknown>, member: string): unknown {
  const [kind = '', vendor = '', name = ''] = member.split('.');
  if (kind === 'aliases') return account.aliases[vendor];
  if (kind === 'vendor') return own(own(account.vendor, vendor) ?? {}, name);
  return own({ ...all, id: account.id, username: account.username }, member);
}

function own<Value>(record: Readonly<Record<string, Value>>, name: string): Value | undefined {
  return Object.hasOwn(record, name) ? record[name] : undefined;
}

function pick(all: Record<string, unknown>, names: ReadonlySet<string>): Record<string, unknown> {
  return Object.fromEntries(Object.entries(all).filter(([name]) => names.has(name)));
}

/** The account as the standard claims. */
function membersOf(account: AccountRecord): Record<string, unknown> {
  const { claims } = account;
  const all = {
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
  return Object.fromEntries(Object.entries(all).filter(([, value]) => value !== undefined));
}
