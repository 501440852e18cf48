/**
 * Protection against CSRF: forms that change something are answered to our own pages only. Two locks, each
 * enough by itself in a current browser:
 * - The request says where it comes from: Sec-Fetch-Site, which no page can set, or else Origin.
 * - The form carries an HMAC over a random cookie of this browser and over what the form is for (an
 *   interaction, a reset link token), so that a token from one browser or one form is worth nothing in another.
 */
import type { Context } from 'koa';
import { randomValue, type Secrets } from '../../core/crypto.ts';
import { readCookie } from '../../core/read-cookie.ts';
import { Refused } from '../../core/refused.ts';
import { setCookie } from '../request/set-cookie.ts';

export interface Forms {
  /** The token to put into a form; sets the browser's cookie when it has none. */
  tokenFor(ctx: Context, purpose: string): string;
  /** Throws Refused('forbidden'). */
  refuseForeignOrigin(ctx: Context, options?: { opaqueOrigin: boolean }): void;
  /** Throws Refused('forbidden') unless `token` was made for this browser and purpose. */
  check(ctx: Context, purpose: string, token: string | undefined): void;
}

/** The token's name in a form. */
export const FORM_TOKEN = 'form_token';

export function createForms(options: { secrets: Secrets; issuer: string }): Forms {
  const origin = new URL(options.issuer).origin;
  const https = origin.startsWith('https:');
  // __Host-: no other host of the domain and no plain-http page can plant it.
  const cookie = https ? '__Host-portico_form' : 'portico_form';
  const { secrets } = options;
  const signed = (browser: string, purpose: string) => `${browser}:${purpose}`;

  return {
    tokenFor(ctx, purpose) {
      let browser = browserOf(ctx, cookie);
      if (browser === undefined) {
        browser = randomValue(24);
        ctx.state.formBrowser = browser;
        setCookie(ctx, { name: cookie, value: browser, path: '/', secure: https });
      }
      return secrets.sign('form', signed(browser, purpose));
    },
    refuseForeignOrigin(ctx, { opaqueOrigin } = { opaqueOrigin: false }) {
      const site = ctx.get('Sec-Fetch-Site');
      const from = ctx.get('Origin');
      if (site !== '' && site !== 'same-origin' && site !== 'none') {
        throw new Refused('forbidden', { detail: `Sec-Fetch-Site: ${site}` });
      }
      // A page under no-referrer sends "null" for itself; the form's token still has to be right.
      if (from === '' || from === origin || (from === 'null' && opaqueOrigin)) return;
      throw new Refused('forbidden', { detail: 'another Origin' });
    },
    check(ctx, purpose, token) {
      const browser = browserOf(ctx, cookie);
      const mine = browser !== undefined && token !== undefined;
      if (!mine || !secrets.verify('form', signed(browser, purpose), token)) {
        throw new Refused('forbidden', { detail: 'the form token is missing or another' });
      }
    },
  };
}

function browserOf(ctx: Context, cookie: string): string | undefined {
  const value: string | undefined = ctx.state.formBrowser ?? readCookie(ctx.req.headers.cookie, cookie);
  return value !== undefined && /^[\w-]{32}$/.test(value) ? value : undefined;
}
