/** The cookies of the Google redirect: one that binds `state` to this browser, and the dashboard's two. */

import type { RequestView } from '../contract/endpoint.ts';
import type { ReplyCookie } from '../contract/reply.ts';
import type { IssuedToken, IssuedTokens } from '../contract/tokens.ts';
import type { AvycennaSettings } from './settings.ts';

const BINDING = 'avycenna_oauth';

/** What every cookie here has. */
const guards = (issuer: string) =>
  ({ httpOnly: true, secure: issuer.startsWith('https:'), sameSite: 'Lax' }) as const;

/** `maxAge`: seconds; 0 drops the cookie. */
export function bind({ base }: AvycennaSettings, issuer: string, value: string, maxAge = 600): ReplyCookie {
  return { name: BINDING, value, maxAge, path: `${base}/auth/oauth/google`, ...guards(issuer) };
}

export const dropBinding = (settings: AvycennaSettings, issuer: string) => bind(settings, issuer, '', 0);

/** The first cookie of that name; a browser sends the one with the longest path first. */
export function boundValue(request: RequestView): string | undefined {
  for (const pair of (request.header('cookie') ?? '').split(';')) {
    const [name, ...value] = pair.split('=');
    if (name?.trim() === BINDING) return value.join('=').trim();
  }
  return undefined;
}

/** For the dashboard's server; this API never reads them. */
export function sessionCookies(
  { access, refresh }: IssuedTokens,
  { cookieDomain: domain }: AvycennaSettings,
  issuer: string,
): ReplyCookie[] {
  const cookie = (name: string, { value, issuedAt, expiresAt }: IssuedToken): ReplyCookie => ({
    name,
    value,
    maxAge: expiresAt - issuedAt,
    path: '/',
    ...(domain !== undefined && { domain }),
    ...guards(issuer),
  });
  const first = cookie('access_token', access);
  return refresh === undefined ? [first] : [first, cookie('refresh_token', refresh)];
}
