/**
 * Who may introspect and revoke what: the rights of token introspection (RFC 7662) and revocation (RFC 7009).
 * An API may ask about the tokens that are for it, whichever client got them. A client may ask about its own
 * tokens; a confidential one also about those of the clients that the operator listed for it, within the
 * organizations that it serves, or in all of them where the operator said so.
 */
import { type Client, errors } from 'oidc-provider';
import type { AuditEvent } from '../../model/audit-event.ts';
import { servesOrganization, servingOf } from '../../model/client.ts';
import type { AccountStore } from '../../store/ports/accounts.ts';
import type { DialectsAsked } from '../contract.ts';
import type { AuditLine, ProviderContext } from '../provider/context.ts';
import { isActive } from './claims.ts';
import { type ClientRegistry, traitsOf } from './clients.ts';

/** A token as the provider found it. */
export interface AskedToken {
  readonly clientId?: string | undefined;
  /** Set on dialects' tokens: one client serves many organizations there. */
  readonly organization?: string | undefined;
  /** Absent: the token is the client's own. */
  readonly accountId?: string | undefined;
  /** The API that the token is for. */
  readonly aud?: string | string[] | undefined;
  /** Of a dialect's token: the sign-in that it stems from. */
  readonly amr?: readonly string[] | undefined;
  readonly signedInAt?: number | undefined;
  readonly appPassword?: string | undefined;
}

export type TokenRights = ReturnType<typeof createTokenRights>;

/** A confidential client's own token, or a token for the API that asks. */
export function isForAsker(client: Client, token: AskedToken): boolean {
  const { api } = traitsOf(client);
  if (api !== undefined) return token.aud === api;
  return token.clientId === client.clientId && client.tokenEndpointAuthMethod !== 'none';
}

export function createTokenRights(deps: {
  clients: ClientRegistry;
  accounts: AccountStore;
  dialects: DialectsAsked;
  line: AuditLine;
}) {
  const { clients, accounts, dialects, line } = deps;

  async function covers(client: Client, token: AskedToken, listed: readonly string[]): Promise<boolean> {
    if (client.tokenEndpointAuthMethod === 'none') return false;
    if (token.clientId === undefined || !listed.includes(token.clientId)) return false;
    const traits = traitsOf(client);
    if (traits.allOrganizations) return true;
    const owner = token.organization ?? (await ownerOf(token));
    return owner !== undefined && servesOrganization(traits, owner);
  }

  /** A person's organization, since the client of the token may serve others too; else the client's own. */
  async function ownerOf({ accountId, clientId = '' }: AskedToken): Promise<string | undefined> {
    if (accountId !== undefined) return (await accounts.byId(accountId))?.organization;
    return (await clients.record(clientId))?.organization;
  }

  const refused = (ctx: ProviderContext, event: AuditEvent, token: AskedToken) =>
    line(ctx, event, 'refused', { tokenClientId: token.clientId ?? null });

  return {
    /** Whether the token's account may go on: an active one, or as the token's dialect says. */
    async holderMayGoOn({ accountId, clientId, amr = [], signedInAt, appPassword }: AskedToken) {
      const [account, client] = await Promise.all([
        accountId === undefined ? undefined : accounts.byId(accountId),
        clientId === undefined ? undefined : clients.record(clientId),
      ]);
      if (client === undefined) return false;
      // The client's own token.
      if (accountId === undefined) return true;
      if (account === undefined) return false;
      if (client.dialect !== undefined)
        return dialects.admitsToken(client.dialect, account, { amr, signedInAt, appPassword });
      return isActive(account) && servesOrganization(servingOf(client), account.organization);
    },
    async mayIntrospect(ctx: ProviderContext, client: Client, token: AskedToken) {
      const { api, introspects } = traitsOf(client);
      const allowed =
        isForAsker(client, token) || (api === undefined && (await covers(client, token, introspects)));
      if (!allowed) refused(ctx, 'introspection.refused', token);
      return allowed;
    },
    /** Throws InvalidRequest for another client's token: it lives on, and the caller is told. */
    async mayRevoke(ctx: ProviderContext, client: Client, token: AskedToken) {
      if (token.clientId === client.clientId) return true;
      if (await covers(client, token, traitsOf(client).revokes)) return true;
      refused(ctx, 'revocation.refused', token);
      throw new errors.InvalidRequest('client is not authorized to revoke the presented token');
    },
  };
}
