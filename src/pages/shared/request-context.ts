/** What the hosted pages read from a request: who sends it, and which organization it means. */
import type { Context } from 'koa';
import { answered, requestInfoOf } from '../../http/request/request-context.ts';
import { findOrganization, organizationForHost } from '../../identity/accounts/find-organization.ts';
import type { RequestContext } from '../../identity/context.ts';
import type { InteractionView } from '../../oidc/contract.ts';
import type { PageDeps } from './deps.ts';

/** `view`: the sign-in that an app started; on pages that no app leads to, the server stands for itself. */
export function requestContext(ctx: Context, view?: Pick<InteractionView, 'client'>): RequestContext {
  const { address, id: requestId, arrivedAt } = requestInfoOf(ctx);
  const clientId = view?.client.clientId ?? 'portico';
  return { address, requestId, clientId, channel: 'hosted', arrivedAt, answered: () => answered(ctx.res) };
}

/** The organization that is named, else the one whose host this is, else the first that every installation has. */
export async function organizationAsked(
  { identity }: Pick<PageDeps, 'identity'>,
  ctx: Context,
  named: unknown,
): Promise<string> {
  const asked =
    typeof named === 'string' && named.length <= 128 ? await findOrganization(identity, named) : undefined;
  return (asked ?? (await organizationForHost(identity, requestInfoOf(ctx).host)))?.id ?? 'default';
}
