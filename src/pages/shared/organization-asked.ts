import type { Context } from 'koa';
import { requestInfoOf } from '../../http/request/request-context.ts';
import { findOrganization, organizationForHost } from '../../identity/accounts/find-organization.ts';
import type { PageDeps } from './deps.ts';

/** Undefined: neither the name nor the host is an organization's. */
export async function organizationAsked(
  { identity }: Pick<PageDeps, 'identity'>,
  ctx: Context,
  named: unknown,
): Promise<string | undefined> {
  const asked =
    typeof named === 'string' && named.length <= 128 ? await findOrganization(identity, named) : undefined;
  return (asked ?? (await organizationForHost(identity, requestInfoOf(ctx).host)))?.id;
}
