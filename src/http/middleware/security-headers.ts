/**
 * What every reply says to a browser. The defaults allow nothing; a page that needs more (its stylesheet,
 * a form that leads back to an app) says so through `pagePolicy`. Replies are not to be cached
 * unless their own route says otherwise.
 */
import helmet from 'helmet';
import type { Middleware } from 'koa';
import type { Config } from '../../config/schema.ts';

/** For replies that are no page of ours. */
const CLOSED_POLICY = "default-src 'none'; base-uri 'none'; form-action 'none'; frame-ancestors 'none'";

/**
 * Pages that no app opens: they cut a window that did (Cross-Origin-Opener-Policy). An app may open its sign-in,
 * its sign-out, and all that may come on the way in a pop-up, which answers by `window.opener`.
 */
const OPENED_BY_PEOPLE = /^\/(?:$|account(?:\/|$)|dev\/|docs(?:\/|$))/;

/** `https`: whether the issuer is https; HSTS over plain http would mean nothing and lock a laptop's localhost in. */
export function securityHeaders(options: { https: boolean; hsts: Config['http']['hsts'] }): Middleware {
  const { maxAge, includeSubDomains } = options.hsts;
  const protect = helmet({
    contentSecurityPolicy: false,
    // Set below, for the pages that it is right for.
    crossOriginOpenerPolicy: false,
    // Same-origin here would keep a relying party from showing a picture of ours, not from reading tokens.
    crossOriginResourcePolicy: false,
    referrerPolicy: { policy: 'same-origin' },
    strictTransportSecurity: options.https && maxAge !== null && { maxAge, includeSubDomains },
    xFrameOptions: { action: 'deny' },
  });
  return async (ctx, next) => {
    protect(ctx.req, ctx.res, () => {});
    if (OPENED_BY_PEOPLE.test(ctx.path)) ctx.set('Cross-Origin-Opener-Policy', 'same-origin');
    ctx.set('Cache-Control', 'no-store');
    ctx.set('Content-Security-Policy', CLOSED_POLICY);
    await next();
  };
}
