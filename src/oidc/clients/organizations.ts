/**
 * Which organizations a client serves: its own, and those that the operator listed beside it, or all. A request of a
 * client that serves several means one of them: the one that it names by `organization`, or the one whose email
 * domain its login hint has. Where neither says it, a page asks.
 */
import { type Client, errors } from 'oidc-provider';
import { emailDomain } from '../../core/text.ts';
import { type Serving, servesOrganization } from '../../model/client.ts';
import type { OrganizationStore } from '../../store/ports/installation.ts';
import type { ProviderContext } from '../provider/context.ts';
import { traitsOf } from './clients.ts';

/** Whether people of more than one organization sign in to it. */
export function servesSeveral({ organizations }: Serving): boolean {
  return organizations === 'all' || organizations.length > 0;
}

/** The organization of the request; undefined: it names none, and its client serves several. */
export function askedOrganization(
  params: { readonly organization?: unknown } | undefined,
  client: Serving,
): string | undefined {
  if (typeof params?.organization === 'string') return params.organization;
  return servesSeveral(client) ? undefined : client.organization;
}

/** Of an authorization request, before its person signs in: it means an organization that its client serves. */
export function judgeOrganization(organizations: Pick<OrganizationStore, 'byId' | 'byEmailDomain'>) {
  return async (ctx: ProviderContext, named: string | undefined, client: Client): Promise<void> => {
    const { params } = ctx.oidc;
    const traits = traitsOf(client);
    if (named !== undefined) {
      // An organization that the client does not serve looks like one that does not exist.
      if (servesOrganization(traits, named) && (await organizations.byId(named))) return;
      throw new errors.InvalidRequest(
        'organization must be the id of an organization that the client serves',
      );
    }
    if (params === undefined || !servesSeveral(traits) || typeof params.login_hint !== 'string') return;
    const domain = emailDomain(params.login_hint);
    const owner = domain === undefined ? undefined : await organizations.byEmailDomain(domain);
    if (owner !== undefined && servesOrganization(traits, owner.id)) params.organization = owner.id;
  };
}
