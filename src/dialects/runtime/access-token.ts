/** What a client gets for a token of its own that it exchanges for a dialect's. */
import type { AccountRecord } from '../../model/account.ts';
import type { OfferedToken } from '../../oidc/contract.ts';
import type { Dialect } from '../contract/dialect.ts';
import { accessTokenOf, accountView, mayEnter } from './admission.ts';
import type { DialectServices } from './deps.ts';
import { directoryOf } from './directory.ts';
import { parseSettings } from './mounted.ts';

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
