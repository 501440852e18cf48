/** The one writer of Set-Cookie for pages and dialects; the provider writes its own cookies. */
import type { Context } from 'koa';

export interface Cookie {
  readonly name: string;
  readonly value: string;
  readonly path: string;
  readonly secure: boolean;
  /** Seconds; 0 drops the cookie, and without it the cookie ends with the browser. */
  readonly maxAge?: number;
  readonly domain?: string;
  /** True unless it says otherwise. */
  readonly httpOnly?: boolean;
  /** Lax unless it says otherwise. */
  readonly sameSite?: 'Lax' | 'Strict' | 'None';
}

export function setCookie(ctx: Pick<Context, 'append'>, cookie: Cookie): void {
  ctx.append('Set-Cookie', cookieLine(cookie));
}

/** Name and value as RFC 6265 wants them; whatever would end the pair early is escaped. */
export function cookieLine(cookie: Cookie): string {
  const { name, value, path, secure, maxAge, domain, httpOnly = true, sameSite = 'Lax' } = cookie;
  const attributes = [
    maxAge !== undefined && `Max-Age=${maxAge}`,
    `Path=${path}`,
    domain !== undefined && `Domain=${domain}`,
    maxAge === 0 && 'Expires=Thu, 01 Jan 1970 00:00:00 GMT',
    httpOnly && 'HttpOnly',
    secure && 'Secure',
    `SameSite=${sameSite}`,
  ];
  return [`${name}=${encodeURIComponent(value)}`, ...attributes.filter((text) => text !== false)].join('; ');
}
