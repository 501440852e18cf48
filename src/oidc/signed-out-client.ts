/**
 * The page at the end of a sign-out says which app asked for it, leads back there, and wears its brand. The
 * engine tells that page of the client only where the person stayed signed in; here it is told always.
 */
import { type EngineContext, type EngineStep, routeOf } from './engine-context.ts';
import { ROUTES } from './server-routes.ts';

export function nameClientWhenSignedOut(): EngineStep {
  const page = `${ROUTES.end_session}/success`;
  return async (ctx, next) => {
    await next();
    const engine = ctx as EngineContext;
    if (routeOf(engine) !== 'end_session_confirm' || ctx.status !== 303) return;
    const { client } = engine.oidc;
    const target = URL.parse(ctx.response.get('Location'), engine.oidc.issuer);
    // A page of the client's own is none of ours to add to.
    if (client === undefined || target?.origin !== engine.oidc.issuer || target.pathname !== page) return;
    target.searchParams.set('client_id', client.clientId);
    ctx.set('Location', target.href);
  };
}
