/**
 * What every reply says to a browser. The defaults allow nothing; a page that needs more (its stylesheet,
 * a form that leads back to an app) says so through `pagePolicy`. Replies are not to be cached
 * unless their own route says otherwise.
 */
import { IncomingMessage, ServerResponse } from 'node:http';
import { Socket } from 'node:net';
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

/** A reply that is never sent. */
class Notes extends ServerResponse {
  readonly headers: (readonly [name: string, value: string])[] = [];
  override setHeader(name: string, value: unknown) {
    this.headers.push([name, String(value)]);
    return this;
  }
}

/**
 * What every reply says, in order. `https`: whether the issuer is https; HSTS over plain http would mean nothing and
 * lock a laptop's localhost in.
 */
export function replyHeaders(options: {
  https: boolean;
  hsts: Config['http']['hsts'];
}): readonly (readonly [name: string, value: string])[] {
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
  // The same for every reply, so helmet is asked once.
  const request = new IncomingMessage(new Socket());
  const notes = new Notes(request);
  protect(request, notes, () => {});
  return [...notes.headers, ['Cache-Control', 'no-store'], ['Content-Security-Policy', CLOSED_POLICY]];
}

export function securityHeaders(headers: ReturnType<typeof replyHeaders>): Middleware {
  return (ctx, next) => {
    for (const [name, value] of headers) ctx.res.setHeader(name, value);
    if (OPENED_BY_PEOPLE.test(ctx.path)) ctx.set('Cross-Origin-Opener-Policy', 'same-origin');
    return next();
  };
}
