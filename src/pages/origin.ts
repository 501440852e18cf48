/** Who sends a request to the hosted pages, for counters and the audit line. */
import type { Context } from 'koa';
import { factsOf } from '../http/request-facts.ts';
import type { RequestOrigin } from '../identity/identity.ts';
import type { InteractionView } from '../oidc/oidc.ts';

/** `view`: the sign-in that an app started; on pages that no app leads to, the server stands for itself. */
export function originOf(ctx: Context, view?: Pick<InteractionView, 'client'>): RequestOrigin {
  const { address, id } = factsOf(ctx);
  return { address, requestId: id, clientId: view?.client.clientId ?? 'portico', door: 'hosted' };
}
