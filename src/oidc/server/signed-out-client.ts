/**
 * The page at the end of a sign-out says which app asked for it, leads back there, and wears its brand. The
 * provider tells that page of the client only where the person stayed signed in; here it is told always, and
 * also that they stayed: nobody who did may read there that they are signed out.
 */
import { type ProviderContext, type ProviderMiddleware, routeOf } from '../provider/context.ts';
import { ROUTES } from '../provider/routes.ts';

export function nameClientWhenSignedOut(): ProviderMiddleware {
  const page = `${ROUTES.end_session}/success`;
  return async (ctx, next) => {
    await next();
    const provider = ctx as ProviderContext;
    if (routeOf(provider) !== 'end_session_confirm' || ctx.status !== 303) return;
    const { client, params } = provider.oidc;
    const target = URL.parse(ctx.response.get('Location'), provider.oidc.issuer);
    // A page of the client's own is none of ours to add to.
    if (target?.origin !== provider.oidc.issuer || target.pathname !== page) return;
    if (client !== undefined) target.searchParams.set('client_id', client.clientId);
    if (params?.logout === undefined) target.searchParams.set('stayed', 'yes');
    ctx.set('Location', target.href);
  };
}
