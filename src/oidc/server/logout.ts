/**
 * RP-initiated logout of a browser that is not signed in here: there is nothing to ask and nothing to end. The
 * provider would send a form that a script of its own posts; pages run no script, so the answer is where that
 * form leads to. Signing out a browser with a session is the provider's, with pages/provider/provider-pages.ts.
 */
import Provider from 'oidc-provider';
import { type ProviderContext, type ProviderMiddleware, routeOf } from '../provider/context.ts';
import { modelOf, override } from '../extensions/models.ts';
import { ROUTES } from '../provider/routes.ts';

export function leadOnWhenSignedOutAlready(): ProviderMiddleware {
  return async (ctx, next) => {
    await next();
    const provider = ctx as ProviderContext;
    if (routeOf(provider) !== 'end_session' || ctx.status !== 200) return;
    const { session, client, params, issuer } = provider.oidc;
    if (session === undefined || session.accountId !== undefined) return;
    // The provider has compared it with the client's registration, and dropped it where there is no client.
    const input = params?.post_logout_redirect_uri;
    const target = new URL(typeof input === 'string' ? input : `${issuer}${ROUTES.end_session}/success`);
    if (typeof input !== 'string') {
      if (client !== undefined) target.searchParams.set('client_id', client.clientId);
    } else if (typeof params?.state === 'string') target.searchParams.set('state', params.state);
    ctx.status = 303;
    ctx.remove('Set-Cookie');
    ctx.redirect(target.href);
  };
}

/** The provider would store the request, state and all, in a session of nobody's: any number of them (security.md B4). */
export function keepNothingOfSignedOut(provider: Provider): void {
  override(
    modelOf(provider, 'Session'),
    'save',
    (original) =>
      async function save(this: { accountId?: string }, ...lifetime) {
        const isNobodys = this.accountId === undefined && routeOf(Provider.ctx) === 'end_session';
        return isNobodys ? '' : original.apply(this, lifetime);
      },
  );
}
