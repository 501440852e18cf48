/** Who sends a request to the hosted pages, for counters and the audit line. */
import type { Context } from 'koa';
import { factsOf } from '../../http/request/request-context.ts';
import type { RequestOrigin } from '../../identity/context.ts';
import type { InteractionView } from '../../oidc/contract.ts';

/** `view`: the sign-in that an app started; on pages that no app leads to, the server stands for itself. */
export function originOf(ctx: Context, view?: Pick<InteractionView, 'client'>): RequestOrigin {
  const { address, id } = factsOf(ctx);
  return { address, requestId: id, clientId: view?.client.clientId ?? 'portico', door: 'hosted' };
}
