/** What Portico answers in the provider's place: its pages, and what goes wrong in the form of OAuth or as a page. */
import type { Client } from 'oidc-provider';
import { StoreUnavailable } from '../../core/errors.ts';
import { Refused } from '../../core/refused.ts';
import { traitsOf } from '../clients/clients.ts';
import { askedOrganization } from '../clients/organizations.ts';
import type { ResponseMode } from '../extensions/form-post.ts';
import { notesOf } from '../extensions/request-notes.ts';
import type { PageSubject, Shown } from '../page-contract.ts';
import { isOnRoute, type ProviderMiddleware, routeOf, type StepContext } from '../provider/context.ts';
import { inBetterWords } from '../provider/error-words.ts';
import type { ProviderDeps } from './deps.ts';

/** `client`: the one whose brand the page wears, where the provider does not know it yet. */
export async function show<Info>(
  ctx: StepContext,
  page: Shown<Info>,
  info: Info,
  client?: Client,
): Promise<void> {
  ctx.body = await page(ctx.req, ctx.res, { ...subjectOf(ctx, client), ...info });
  ctx.type = 'html';
}

function subjectOf(ctx: StepContext, client = ctx.oidc?.client): PageSubject {
  const code = ctx.oidc?.entities.DeviceCode?.params;
  const locales = code?.ui_locales ?? ctx.oidc?.params?.ui_locales ?? ctx.query.ui_locales;
  const traits = client && traitsOf(client);
  const asked = traits && askedOrganization(code ?? ctx.oidc?.params, traits);
  return {
    ...(traits && { organization: asked ?? traits.organization }),
    ...(client && { clientId: client.clientId }),
    ...(typeof locales === 'string' && { languages: locales.split(' ', 10) }),
  };
}

/** Characters of a redirect URI, and how many of them, that the audit trail and a page show. */
const LONGEST_URI = 500;
const MOST_URIS = 20;

/** The redirect URI that a request came with, where its client has not registered it. */
export function unregisteredUri({ oidc }: StepContext): { sent: string; registered: string[] } | undefined {
  const { client, params } = oidc ?? {};
  const afterLogout = params?.post_logout_redirect_uri !== undefined;
  const sent = afterLogout ? params.post_logout_redirect_uri : params?.redirect_uri;
  if (client === undefined || typeof sent !== 'string') return undefined;
  if (afterLogout ? client.postLogoutRedirectUriAllowed(sent) : client.redirectUriAllowed(sent))
    return undefined;
  const registered = (afterLogout ? client.postLogoutRedirectUris : client.redirectUris) ?? [];
  return {
    sent: sent.slice(0, LONGEST_URI),
    registered: registered.slice(0, MOST_URIS).map((uri) => uri.slice(0, LONGEST_URI)),
  };
}

/** What a client has registered is shown to its developer only. */
export function showError(
  { pages, config }: Pick<ProviderDeps, 'pages' | 'config'>,
  ctx: StepContext,
  error: string,
  description?: string,
): Promise<void> {
  const words = inBetterWords(error, description);
  const described = words === undefined ? {} : { description: words };
  const uri = config.environment === 'development' ? unregisteredUri(ctx) : undefined;
  return show(ctx, pages.error, { status: ctx.status, error, ...described, ...(uri && { uri }) });
}

/**
 * An attacker may register a client, or publish a metadata document, only to have this server redirect people to
 * the attacker's site (RFC 9700, 4.11.2). So the errors of such a client's requests are shown here until the person
 * has signed in; only requests with prompt=none get their error at the redirect URI.
 */
export function keepErrorsOfRegistered(deps: Pick<ProviderDeps, 'pages' | 'config'>): ProviderMiddleware {
  return async (ctx, next) => {
    await next();
    if (!isOnRoute(ctx, 'authorization')) return;
    const { client, params, session } = ctx.oidc;
    if (client === undefined) return;
    const { registered, unregistered } = traitsOf(client);
    if (!registered && !unregistered) return;
    if (session?.accountId !== undefined || params?.prompt === 'none') return;
    const refusal = notesOf(ctx).refusal;
    if (refusal === undefined) return;
    ctx.remove('Location');
    ctx.status = 400;
    await showError(deps, ctx, refusal.error, refusal.error_description);
  };
}

/** The answer to an authorization request with `response_mode=form_post`, errors included. */
export function answerByForm({ pages }: Pick<ProviderDeps, 'pages'>): ResponseMode {
  return async (ctx, url, answer) => {
    const { client } = ctx.oidc;
    if (ctx.status !== 500) ctx.status = 'error' in answer ? 400 : 200;
    const fields = Object.fromEntries(Object.entries(answer).map(([name, value]) => [name, String(value)]));
    await show(ctx, pages.formPost, { url, fields, client: client?.clientName ?? client?.clientId ?? '' });
  };
}

/** A store that is down is a passing failure: 503, with Retry-After. */
export function answerUnavailable(ctx: StepContext): void {
  ctx.status = 503;
  ctx.set('Retry-After', '5');
  if (typeof ctx.body === 'object') {
    ctx.body = {
      error: 'temporarily_unavailable',
      error_description: 'the server cannot answer now, try again soon',
    };
  }
}

/** Clients parse the reply to a revocation although it says nothing (RFC 7009, 2.2): an empty text is no JSON. */
export const answerRevocations: ProviderMiddleware = async (ctx, next) => {
  await next();
  if (isOnRoute(ctx, 'revocation') && ctx.status === 200) ctx.body = {};
};

/** Errors outside the provider's own handlers. */
export function answerErrors(deps: ProviderDeps): ProviderMiddleware {
  return async (ctx, next) => {
    try {
      await next();
    } catch (error) {
      const { status, code, retryAfter } = failureOf(error);
      if (status !== 429) {
        const level = status === 503 ? 'warn' : 'error';
        deps.log[level]({ err: error, route: routeOf(ctx) }, 'a request to oidc-provider failed');
      }
      ctx.status = status;
      ctx.set('Cache-Control', 'no-store');
      if (retryAfter !== undefined) ctx.set('Retry-After', String(retryAfter));
      if (ctx.accepts('json', 'html') === 'html') await showError(deps, ctx, code);
      else ctx.body = { error: code, error_description: inBetterWords(code, undefined) };
    }
  };
}

function failureOf(error: unknown): { status: number; code: string; retryAfter?: number } {
  if (error instanceof StoreUnavailable) {
    return { status: 503, code: 'temporarily_unavailable', retryAfter: 5 };
  }
  if (error instanceof Refused && error.reason === 'too-many-requests') {
    return { status: 429, code: 'temporarily_unavailable', retryAfter: error.retryAfter ?? 60 };
  }
  return { status: 500, code: 'server_error' };
}
