/**
 * What every reply says to a browser. The defaults allow nothing; a page that needs more (its stylesheet,
 * a form that leads back to an app) says so through `pagePolicy`. Replies are not to be kept by anybody
 * unless their own route says otherwise.
 */
import helmet from 'helmet';
import type { Middleware } from 'koa';

const TWO_YEARS = 63_072_000;

/** For replies that are no page of ours. `script-src` is there for the engine to add its form_post hash to. */
const ENGINE_POLICY = "default-src 'none'; script-src 'self'; base-uri 'none'; frame-ancestors 'none'";
const CLOSED_POLICY = "default-src 'none'; base-uri 'none'; form-action 'none'; frame-ancestors 'none'";

/** `https`: whether the issuer is https; HSTS over plain http would mean nothing and lock a laptop's localhost in. */
export function securityHeaders(options: { https: boolean }): Middleware {
  const protect = helmet({
    contentSecurityPolicy: false,
    crossOriginOpenerPolicy: { policy: 'same-origin' },
    // Same-origin here would keep a relying party from showing a picture of ours, not from reading tokens.
    crossOriginResourcePolicy: false,
    referrerPolicy: { policy: 'same-origin' },
    strictTransportSecurity: options.https ? { maxAge: TWO_YEARS, includeSubDomains: true } : false,
    xFrameOptions: { action: 'deny' },
  });
  return async (ctx, next) => {
    protect(ctx.req, ctx.res, () => {});
    ctx.set('Cache-Control', 'no-store');
    ctx.set('Content-Security-Policy', CLOSED_POLICY);
    await next();
  };
}

/** Before the engine: its form_post page posts to wherever the client's registered redirect URI is. */
export const enginePolicy: Middleware = async (ctx, next) => {
  ctx.set('Content-Security-Policy', ENGINE_POLICY);
  await next();
};

/**
 * The Content-Security-Policy of a page. `formTargets`: addresses where its forms may end up after
 * redirects, besides this server (Chromium checks form-action against each hop).
 */
export function pagePolicy(options: {
  formTargets?: readonly (string | undefined)[];
  /** Pictures from elsewhere: an organization's logo. */
  images?: readonly (string | undefined)[];
  frames?: boolean;
  /** Files of public/; never a script in the page itself. */
  scripts?: boolean;
}): string {
  const targets = sources(options.formTargets ?? []);
  const images = sources(options.images ?? []);
  return [
    "default-src 'none'",
    "style-src 'self'",
    `img-src ${["'self'", ...images].join(' ')}`,
    `form-action ${["'self'", ...targets].join(' ')}`,
    ...(options.scripts === true ? ["script-src 'self'"] : []),
    ...(options.frames === true ? ["frame-src 'self'"] : []),
    "base-uri 'none'",
    "frame-ancestors 'none'",
  ].join('; ');
}

function sources(addresses: readonly (string | undefined)[]): Set<string> {
  return new Set(addresses.map(sourceOf).filter((source) => source !== undefined));
}

/** The origin of a web address, or the scheme of an app's own ('com.example.app:'). */
function sourceOf(address: string | undefined): string | undefined {
  const url = URL.parse(address ?? '');
  if (url === null) return undefined;
  const source = url.protocol === 'https:' || url.protocol === 'http:' ? url.origin : url.protocol;
  // What reaches a header is made of these signs only, whatever a client registered.
  return /^[a-z0-9:/.[\]+-]+$/i.test(source) ? source : undefined;
}
