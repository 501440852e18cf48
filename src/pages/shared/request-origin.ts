/** Who sends a request to the hosted pages, for counters and the audit line. */
import type { Context } from 'koa';
import { requestInfoOf } from '../../http/request/request-context.ts';
import type { RequestContext } from '../../identity/context.ts';
import type { InteractionView } from '../../oidc/contract.ts';

/** `view`: the sign-in that an app started; on pages that no app leads to, the server stands for itself. */
export function originOf(ctx: Context, view?: Pick<InteractionView, 'client'>): RequestContext {
  const { address, id } = requestInfoOf(ctx);
  return { address, requestId: id, clientId: view?.client.clientId ?? 'portico', channel: 'hosted' };
}
