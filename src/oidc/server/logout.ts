/**
 * RP-initiated logout: who is asked, and where the browser goes afterwards. Two answers of the provider lead to a page
 * of its own; the page is in pages/provider/provider-pages.ts.
 */
import { isNavigation } from '../../core/navigation.ts';
import { endSession } from '../access/grants.ts';
import { traitsOf } from '../clients/clients.ts';
import { subjectFor } from '../clients/subjects.ts';
import { isOnRoute, type ProviderContext, type ProviderMiddleware } from '../provider/context.ts';
import { ROUTES } from '../provider/routes.ts';
import { show } from './answers.ts';
import type { ProviderDeps } from './deps.ts';

const SIGNED_OUT = `${ROUTES.end_session}/success`;

/**
 * An ID token that the session's own client got for the session's own account: no other site can have it, so the
 * person is not asked (RP-Initiated Logout, 2). The provider has verified it. Where the client names no page to
 * go back to, the person stays on a page of ours and is asked: the official suite looks for the question there.
 */
export function isAskedByOwnClient(
  { oidc: { session, client, entities, params } }: ProviderContext,
  { secrets }: Pick<ProviderDeps, 'secrets'>,
): boolean {
  if (typeof params?.post_logout_redirect_uri !== 'string') return false;
  const hinted = entities.IdTokenHint?.payload.sub;
  if (hinted === undefined || session?.accountId === undefined || client === undefined) return false;
  if (hinted !== subjectFor(session.accountId, { client, secrets })) return false;
  return Object.hasOwn(session.authorizations ?? {}, client.clientId);
}

/** What the provider does when the person says yes. */
export async function endSessionUnasked(
  ctx: ProviderContext,
  deps: Pick<ProviderDeps, 'oidcRecords' | 'logouts' | 'cookies'>,
): Promise<void> {
  const { session, provider } = ctx.oidc;
  const stored = await deps.oidcRecords.load('Session', String(session?.jti));
  const ended = stored ? await endSession(deps, stored) : [];
  // Or the provider would store it again after this.
  await session?.destroy();
  ctx.cookies.set(provider.cookieName('session'), null, deps.cookies);
  for (const grantId of ended) provider.emit('grant.revoked', ctx, grantId);
  provider.emit('end_session.success', ctx);
  goOn(ctx);
}

/** To where the client asked for, which the provider has compared with its registration; or to a page of ours. */
function goOn(ctx: ProviderContext): void {
  const { client, params, issuer, session } = ctx.oidc;
  // Anyone may have registered such a client to have this server lead to theirs (RFC 9700, 4.11.2).
  const stays = client !== undefined && traitsOf(client).registered && session?.accountId === undefined;
  const input = stays ? undefined : params?.post_logout_redirect_uri;
  const target = new URL(typeof input === 'string' ? input : `${issuer}${SIGNED_OUT}`);
  if (typeof input !== 'string') {
    if (client !== undefined) target.searchParams.set('client_id', client.clientId);
  } else if (typeof params?.state === 'string') target.searchParams.set('state', params.state);
  ctx.status = 303;
  ctx.redirect(target.href);
}

/**
 * A person who is not signed in has nothing to confirm and nothing to end. The provider would send a form that
 * its own script posts; our pages run no script, so the answer is where that form leads to.
 */
export const leadOnWhenSignedOutAlready: ProviderMiddleware = async (ctx, next) => {
  await next();
  if (!isOnRoute(ctx, 'end_session') || ctx.status !== 200) return;
  const { session } = ctx.oidc;
  if (session === undefined || session.accountId !== undefined) return;
  ctx.remove('Set-Cookie');
  goOn(ctx);
};

/**
 * The page at the end of a sign-out says which app asked for it, leads back there, and wears its brand. The
 * provider names the client there only when the person stayed signed in. This names it always, and says when
 * the person stayed, so that the page does not call a signed-in person signed out.
 */
export const nameClientWhenSignedOut: ProviderMiddleware = async (ctx, next) => {
  await next();
  if (!isOnRoute(ctx, 'end_session_confirm') || ctx.status !== 303) return;
  const { client, params, issuer } = ctx.oidc;
  const target = URL.parse(ctx.response.get('Location'), issuer);
  // A page of the client's own gets no parameters of ours.
  if (target?.origin !== issuer || target.pathname !== SIGNED_OUT) return;
  if (client !== undefined) target.searchParams.set('client_id', client.clientId);
  if (params?.logout === undefined) target.searchParams.set('stayed', 'yes');
  ctx.set('Location', target.href);
};

/** The form of the page that asked may not lead to the client's site by a redirect (form-action): a page does. */
export function leadOnByPage({ pages }: Pick<ProviderDeps, 'pages'>): ProviderMiddleware {
  return async (ctx, next) => {
    await next();
    if (!isOnRoute(ctx, 'end_session_confirm') || ctx.status !== 303 || !isNavigation(ctx.headers)) return;
    const url = ctx.response.get('Location');
    const { client, issuer } = ctx.oidc;
    if (client === undefined || URL.parse(url, issuer)?.origin === issuer) return;
    ctx.status = 200;
    ctx.remove('Location');
    await show(ctx, pages.leadingOn, { url, client: client.clientName ?? client.clientId });
  };
}
