/** What a dialect's access token is made of: at a sign-in, and where a client exchanges a token of its own for one. */
import { randomText } from '../../core/crypto.ts';
import type { AccountRecord } from '../../model/account.ts';
import type { OfferedToken } from '../../oidc/contract.ts';
import type { AccessInput } from '../../oidc/grant-contract.ts';
import type { Dialect, OrganizationView } from '../contract/dialect.ts';
import type { AccountView } from '../contract/endpoint.ts';
import { accountView, mayEnter } from './admission.ts';
import type { DialectServices } from './deps.ts';
import { directoryOf } from './directory.ts';
import { type MountedDialect, parseSettings } from './mounted.ts';

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

/** By the dialect's name, for the standard endpoints. Undefined: it is switched off, or does not let the account in. */
export function createTokenOffers(
  options: DialectServices & { readonly dialects: readonly Dialect[] },
): (name: string, account: AccountRecord) => Promise<OfferedToken | undefined> {
  const { identity, issuer } = options;
  const all = parseSettings(options.dialects, options.config.dialects);
  return async (name, record) => {
    const mounted = all.find(({ dialect }) => dialect.name === name);
    if (mounted === undefined || !mayEnter(mounted, record)) return undefined;
    const organization = await directoryOf(identity, name).byId(record.organization);
    const { dialect, settings } = mounted;
    if (organization === undefined || !dialect.admitsOrganization?.(organization, settings)) return undefined;
    const account = await accountView(identity, record, mounted.dialect);
    const access = accessTokenOf(mounted, { account, organization }, issuer);
    return { clientId: mounted.clientId, scope: mounted.dialect.tokens.scope, access };
  };
}
