/**
 * What an API's access token says of its person besides the registered claims (RFC 9068, 2.2): in JWTs, and at
 * introspection for both forms.
 */
import type { AccessToken, ClientCredentials } from 'oidc-provider';
import { provenAmr } from '../../model/amr.ts';
import type { AccountStore } from '../../store/ports/accounts.ts';
import { mappedClaims } from '../clients/claims.ts';
import { traitsOf } from '../clients/clients.ts';
import { servesSeveral } from '../clients/organizations.ts';
import { signInAtHand } from '../extensions/request-notes.ts';
import type { TokenRequest } from '../provider/context.ts';
import type { ApiRegistry } from './apis.ts';

type Token = Pick<AccessToken | ClientCredentials, 'kind'> &
  Partial<Pick<AccessToken, 'resourceServer' | 'accountId'>>;

export function createTokenClaims({
  apis,
  accounts,
}: {
  apis: ApiRegistry;
  accounts: Pick<AccountStore, 'byId'>;
}) {
  /** Undefined: the token is for userinfo, which says all by itself, and its client serves one organization. */
  return async (ctx: TokenRequest | undefined, token: Token) => {
    const identifier = token.resourceServer?.identifier();
    if (ctx === undefined) return undefined;
    const client = ctx.oidc.client && traitsOf(ctx.oidc.client);
    const isOfSeveral = client !== undefined && servesSeveral(client);
    if (identifier === undefined && !isOfSeveral) return undefined;
    const account = token.kind === 'AccessToken' ? await accounts.byId(String(token.accountId)) : undefined;
    if (identifier === undefined) return present({ organization: account?.organization });
    if (account === undefined) return present({ organization: client?.organization });
    const { acr, amr: all, authTime } = signInAtHand(ctx) ?? {};
    const amr = all && provenAmr(all);
    const { claims = {} } = (await apis.find(identifier)) ?? {};
    return present({
      ...mappedClaims(account, claims),
      ...{ roles: account.roles, organization: account.organization },
      ...{ acr, amr, auth_time: authTime },
    });
  };
}

function present(claims: Record<string, unknown>): Record<string, unknown> {
  return Object.fromEntries(Object.entries(claims).filter(([, value]) => value !== undefined));
}
