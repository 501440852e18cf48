/** What the demo application remembers of a browser: in memory, for a few browsers, until the process ends. */
import { randomBytes } from 'node:crypto';
import type { Context } from 'koa';
import type { TokenEndpointResponse } from 'openid-client';
import { setCookie } from '../http/request/set-cookie.ts';

/** A sign-in that is under way. */
export interface Started {
  readonly verifier: string;
  readonly state: string;
  readonly nonce: string;
}

export type DemoTokens = Pick<
  TokenEndpointResponse,
  'access_token' | 'expires_in' | 'id_token' | 'refresh_token' | 'scope'
>;

export interface DemoSession {
  started?: Started | undefined;
  tokens?: DemoTokens | undefined;
  subject?: string | undefined;
  userinfo?: unknown;
  /** What happened last, for the next page. */
  notice?: string | undefined;
}

const COOKIE = 'portico_demo';
const KEPT = 200;

export function createDemoSessions() {
  const sessions = new Map<string, DemoSession>();
  return {
    /** The browser's; a new one with its cookie when it has none. */
    of(ctx: Context): DemoSession {
      const known = sessions.get(ctx.cookies.get(COOKIE) ?? '');
      if (known !== undefined) return known;
      const id = randomBytes(24).toString('base64url');
      const session: DemoSession = {};
      sessions.set(id, session);
      for (const oldest of sessions.keys()) {
        if (sessions.size <= KEPT) break;
        sessions.delete(oldest);
      }
      setCookie(ctx, { name: COOKIE, value: id, path: '/demo', secure: false });
      return session;
    },
  };
}
