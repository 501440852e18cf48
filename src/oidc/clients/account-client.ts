/**
 * The client behind the account pages of an organization. People sign in there as at any application, through
 * /authorize, so that every way of signing in, every counter and every rule of the provider holds there too.
 * It is stored nowhere: it exists wherever the organization does. Its codes are never redeemed, because the
 * verifier to its challenge is thrown away where it is made; what counts is the browser's session.
 */
import type { ClientRecord } from '../../model/client.ts';
import type { OrganizationStore } from '../../store/ports/installation.ts';
import { ACCOUNT_RETURN, accountClientId } from '../contract.ts';

const PREFIX = accountClientId('');

/** Undefined: not such a client, or of an organization that does not exist. */
export async function findAccountClient(
  clientId: string,
  { organizations, issuer }: { organizations: Pick<OrganizationStore, 'byId'>; issuer: string },
): Promise<ClientRecord | undefined> {
  if (!clientId.startsWith(PREFIX)) return undefined;
  const organization = await organizations.byId(clientId.slice(PREFIX.length));
  if (organization === undefined) return undefined;
  return {
    clientId,
    organization: organization.id,
    allOrganizations: false,
    firstParty: true,
    introspects: [],
    revokes: [],
    metadata: {
      client_name: 'My account',
      client_uri: `${issuer}/account`,
      redirect_uris: [issuer + ACCOUNT_RETURN],
      grant_types: ['authorization_code'],
      response_types: ['code'],
      scope: 'openid',
      token_endpoint_auth_method: 'none',
    },
  };
}
