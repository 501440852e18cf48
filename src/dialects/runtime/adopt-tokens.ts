/**
 * Tokens of a legacy system go on here, for an account that it confirmed: as long as they would have lived there, and
 * as the operator allows. They are this dialect's tokens in all but their value; how the person signed in is unknown.
 */
import { authorityOf } from '../../identity/accounts/password-authority.ts';
import { recordEvent } from '../../identity/audit/audit.ts';
import type { Identity, RequestContext } from '../../identity/context.ts';
import type { AccountRecord } from '../../model/account.ts';
import type { LegacyTokens } from '../../model/legacy-person.ts';
import type { AdoptedToken, GrantIssuer } from '../../oidc/grant-contract.ts';
import type { OrganizationView } from '../contract/dialect.ts';
import { accessTokenOf, accountView } from './admission.ts';
import { jwtClaims } from './jwt-claims.ts';
import type { MountedDialect } from './mounted.ts';

interface Adopting {
  readonly identity: Identity;
  readonly grants: Pick<GrantIssuer, 'adopt' | 'endGrant'>;
  readonly issuer: string;
}

export interface Adoptable {
  readonly mounted: MountedDialect;
  readonly account: AccountRecord;
  readonly organization: OrganizationView;
  readonly tokens: LegacyTokens;
  readonly context: RequestContext;
}

/**
 * False: none is adopted. They ended, were adopted before, are older than what ended all of the account's tokens, or
 * the person has set a password here: the sign-in behind them used one that no longer counts.
 */
export async function adoptTokens(
  { identity, grants, issuer }: Adopting,
  { mounted, account, organization, tokens, context }: Adoptable,
): Promise<boolean> {
  const { dialect, clientId } = mounted;
  if (isOverHere(account, dialect.name)) return false;
  const limits = limitsOf(mounted, identity.clock.now());
  const access = tokens.access && limits.access(tokens.access);
  const refresh = tokens.refresh && dialect.tokens.refresh && limits.refresh(tokens.refresh);
  const isOver = (token: AdoptedToken | undefined) => token !== undefined && isBefore(token, account);
  if (isOver(access) || isOver(refresh)) return false;
  const view = await accountView(identity, account, dialect);
  const { audience, claims } = accessTokenOf(mounted, { account: view, organization }, issuer);
  const adopted = await grants.adopt({
    ...{ clientId, accountId: account.id, organization: account.organization, scope: dialect.tokens.scope },
    ...(access && { access: { ...access, audience, claims } }),
    ...(refresh && { refresh }),
  });
  if (adopted === undefined) return false;
  // What ended all of the account's tokens meanwhile has not seen these.
  const present = await identity.stores.accounts.byId(account.id);
  if (present === undefined || present.tokensFrom !== account.tokensFrom) {
    await grants.endGrant(adopted.grantId);
    return false;
  }
  recordEvent(identity, {
    event: 'token.adopt',
    ...{ organization: account.organization, subject: account.id, context },
    detail: { dialect: dialect.name, access: access !== undefined, refresh: refresh !== undefined },
  });
  return true;
}

/**
 * A password of the person's own stands, and was set after others had ended: no token counts, whenever it was made. An
 * operator may have given the account the vendor's id and that password to begin with, which ended nothing.
 */
function isOverHere(account: AccountRecord, dialect: string): boolean {
  if (authorityOf(account, dialect) !== 'portico') return false;
  return account.legacy?.[dialect] !== undefined || account.tokensFrom !== undefined;
}

/** Tokens that were made before, or whose age is unknown, ended with the rest. */
function isBefore({ issuedAt }: AdoptedToken, { tokensFrom }: AccountRecord): boolean {
  if (tokensFrom === undefined) return false;
  return issuedAt === undefined || issuedAt * 1000 < Date.parse(tokensFrom);
}

/** When a token ends: epoch seconds, the earliest of all that bounds it. */
function limitsOf({ legacy, dialect, settings }: MountedDialect, at: Date) {
  const now = Math.floor(at.getTime() / 1000);
  const { lifetime = 0, maximum = 0, until } = legacy?.tokens ?? {};
  const latest = [now + maximum, ...(until === undefined ? [] : [Date.parse(until) / 1000])];
  const times = (value: string, told: number | undefined) => {
    const { exp, iat } = jwtClaims(value);
    const endsAt = told ?? (typeof exp === 'number' ? Math.floor(exp) : undefined);
    return { value, endsAt, ...(typeof iat === 'number' && { issuedAt: Math.floor(iat) }) };
  };
  return {
    access({ value, expiresAt }: { value: string; expiresAt?: number }): AdoptedToken {
      const token = times(value, expiresAt);
      return { ...token, expiresAt: Math.min(token.endsAt ?? now + lifetime, ...latest) };
    },
    refresh({ value, expiresAt }: { value: string; expiresAt?: number }): AdoptedToken {
      const line = dialect.tokens.refresh?.absoluteLifetime?.(settings) ?? maximum;
      const token = times(value, expiresAt);
      return { ...token, expiresAt: Math.min(token.endsAt ?? now + line, now + line, ...latest) };
    },
  };
}
