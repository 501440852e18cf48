/** The cookies of the Google redirect: one that binds `state` to this browser, and the dashboard's two. */

import type { RequestView } from '../contract/endpoint.ts';
import type { ReplyCookie } from '../contract/reply.ts';
import type { IssuedTokens } from '../contract/tokens.ts';
import type { AvycennaSettings } from './settings.ts';

const BINDING = 'avycenna_oauth';

function binding({ base }: AvycennaSettings, issuer: string, value: string, maxAge: number): ReplyCookie {
  return {
    name: BINDING,
    value,
    maxAge,
    path: `${base}/auth/oauth/google`,
    httpOnly: true,
    secure: issuer.startsWith('https:'),
    sameSite: 'Lax',
  };
}

export function bind(settings: AvycennaSettings, issuer: string, value: string): ReplyCookie {
  return binding(settings, issuer, value, 600);
}

export function dropBinding(settings: AvycennaSettings, issuer: string): ReplyCookie {
  return binding(settings, issuer, '', 0);
}

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
  settings: AvycennaSettings,
  issuer: string,
): ReplyCookie[] {
  const cookie = (name: string, value: string, maxAge: number): ReplyCookie => ({
    name,
    value,
    maxAge,
    path: '/',
    ...(settings.cookieDomain !== undefined && { domain: settings.cookieDomain }),
    httpOnly: true,
    secure: issuer.startsWith('https:'),
    sameSite: 'Lax',
  });
  const cookies = [cookie('access_token', access.value, access.expiresAt - access.issuedAt)];
  if (refresh !== undefined) {
    cookies.push(cookie('refresh_token', refresh.value, refresh.expiresAt - refresh.issuedAt));
  }
  return cookies;
}
