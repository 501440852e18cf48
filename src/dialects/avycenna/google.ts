/**
 * GET /auth/oauth/google and its callback: the redirect sign-in, for the dashboard (cookies) and for native
 * apps (fragment of a redirect URI that is listed character for character).
 */
import { z } from 'zod';
import { Refused } from '../contract/dialect.ts';
import type { AccountView, RequestView } from '../contract/endpoint.ts';
import { type Reply, redirect } from '../contract/reply.ts';
import type { IssuedTokens } from '../contract/tokens.ts';
import type { UpstreamIdentity, Use } from '../contract/use.ts';
import { bind, boundValue, dropBinding, sessionCookies } from './google-cookies.ts';
import { Failure, textOrNull } from './serializers.ts';
import { type AvycennaSettings, endpoint } from './settings.ts';

type GoogleError = 'access_denied' | 'server_error' | 'account_exists';

export const upstreamCallback = ({ base, googleProvider }: AvycennaSettings) => ({
  provider: googleProvider,
  path: `${base}/auth/oauth/google/callback`,
});

const callbackUrl = (request: RequestView, settings: AvycennaSettings) =>
  request.issuer + upstreamCallback(settings).path;

/** Absent for the dashboard; otherwise one URI that is listed, whole. */
function nativeTarget(query: URLSearchParams, { nativeRedirectUris }: AvycennaSettings): string | null {
  const [uri, ...more] = query.getAll('redirect_uri');
  if (uri === undefined) return null;
  if (more.length > 0 || !nativeRedirectUris.includes(uri)) throw new Refused('redirect-refused');
  return uri;
}

export const startGoogle = endpoint({
  method: 'GET',
  path: '/auth/oauth/google',
  summary: 'Sign in with Google: to the provider',
  caller: 'anyone',
  counts: 'nothing',
  begins: 'sign-in',
  replies: { 415: Failure, 302: z.undefined(), 400: Failure, 404: Failure, 429: Failure },
  async answer({ request, settings }, use) {
    const { url, binding } = await use.upstreams.start({
      provider: settings.googleProvider,
      callback: callbackUrl(request, settings),
      carry: { native: nativeTarget(request.query, settings) },
    });
    return redirect(302, url, { cookies: [bind(settings, request.issuer, binding)] });
  },
});

/** The linked account, the one that the federation's rules link now, or a new one, signed in. */
async function signInAs(
  identity: UpstreamIdentity,
  settings: AvycennaSettings,
  use: Use,
): Promise<IssuedTokens | GoogleError> {
  try {
    const account = await accountFor(identity, settings, use);
    if (account?.status !== 'active') return 'access_denied';
    return (await use.signIn.as(account, 'fed')).tokens;
  } catch (refusal) {
    if (!(refusal instanceof Refused)) throw refusal;
    if (refusal.reason === 'account-exists') return 'account_exists';
    if (refusal.reason === 'sign-in-refused') return 'access_denied';
    throw refusal;
  }
}

/** Undefined: Google has not verified the address, and the identity is linked to no account. */
async function accountFor(
  identity: UpstreamIdentity,
  settings: AvycennaSettings,
  use: Use,
): Promise<AccountView | undefined> {
  if (!identity.emailVerified || identity.email === undefined) return use.upstreams.findAccount(identity);
  return use.upstreams.findOrCreateAccount(identity, {
    email: identity.email,
    emailVerified: true,
    claims: identity.name === undefined ? {} : { name: identity.name },
    vendor: { role: settings.defaultRole },
  });
}

function refusedAt(native: string | null, error: GoogleError, { dashboardUrl }: AvycennaSettings): string {
  if (native !== null) return `${native}#error=${error}`;
  const url = new URL(dashboardUrl);
  url.searchParams.append('error', error);
  return url.href;
}

function handOver(
  tokens: IssuedTokens,
  native: string | null,
  context: { settings: AvycennaSettings; request: RequestView },
) {
  if (native === null) {
    const cookies = sessionCookies(tokens, context.settings, context.request.issuer);
    return { url: context.settings.dashboardUrl, cookies };
  }
  const fragment = new URLSearchParams({
    access_token: tokens.access.value,
    refresh_token: tokens.refresh?.value ?? '',
    token_type: 'bearer',
    expires_in: String(tokens.access.expiresAt - tokens.access.issuedAt),
  });
  return { url: `${native}#${fragment}`, cookies: [] };
}

export const finishGoogle = endpoint({
  method: 'GET',
  path: '/auth/oauth/google/callback',
  summary: 'Sign in with Google: back from the provider',
  caller: 'anyone',
  counts: 'nothing',
  replies: { 415: Failure, 302: z.undefined(), 400: Failure, 429: Failure },
  async answer({ request, settings }, use): Promise<Reply> {
    const { carry, outcome } = await use.upstreams.finish({
      provider: settings.googleProvider,
      query: request.query,
      binding: boundValue(request),
    });
    const native = textOrNull(carry.native);
    const drop = dropBinding(settings, request.issuer);
    const headers = { 'referrer-policy': 'no-referrer' };
    const refused = (error: GoogleError) =>
      redirect(302, refusedAt(native, error, settings), { headers, cookies: [drop] });
    if (outcome === 'denied') return refused('access_denied');
    if (outcome === 'failed') return refused('server_error');
    const tokens = await signInAs(outcome, settings, use);
    if (typeof tokens === 'string') return refused(tokens);
    const { url, cookies } = handOver(tokens, native, { settings, request });
    return redirect(302, url, { headers, cookies: [drop, ...cookies] });
  },
});
