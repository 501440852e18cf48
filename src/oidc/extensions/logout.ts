/**
 * Signing out who is not signed in here: there is nothing to ask and nothing to end. The engine would send a
 * form that a script of its own posts; pages run no script, so the answer is where that form leads to.
 */
import type { EngineContext, EngineStep } from '../provider/context.ts';
import { routeOf } from '../provider/context.ts';
import { ROUTES } from '../provider/routes.ts';

export function leadOnWhenSignedOutAlready(): EngineStep {
  return async (ctx, next) => {
    await next();
    const engine = ctx as EngineContext;
    if (routeOf(engine) !== 'end_session' || ctx.status !== 200) return;
    const { session, client, params, issuer } = engine.oidc;
    if (session === undefined || session.accountId !== undefined) return;
    // The engine has compared it with the client's registration, and dropped it where there is no client.
    const wanted = params?.post_logout_redirect_uri;
    const target = new URL(typeof wanted === 'string' ? wanted : `${issuer}${ROUTES.end_session}/success`);
    if (typeof wanted !== 'string') {
      if (client !== undefined) target.searchParams.set('client_id', client.clientId);
    } else if (typeof params?.state === 'string') target.searchParams.set('state', params.state);
    ctx.status = 303;
    ctx.redirect(target.href);
  };
}
