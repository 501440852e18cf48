/** Browser sessions that are opened and read outside an interaction (VSee's GET /auth, account pages). */
import type { IncomingMessage, ServerResponse } from 'node:http';
import type Provider from 'oidc-provider';
import type { BrowserSessions } from '../contract.ts';
import { createSession } from '../extensions/browser-session.ts';
import type { LogoutOutbox } from '../logout/outbox.ts';
import type { OidcRecord, OidcRecords } from '../persistence/records.ts';
import type { StepContext } from '../provider/context.ts';
import type { CookieSettings } from './cookies.ts';
import { endSession, sessionView } from './grants.ts';
import { type BrowserName, browserName } from './user-agent.ts';

export interface SessionLifetimes {
  /** Seconds without use. */
  readonly idle: number;
  /** Seconds since the sign-in. */
  readonly absolute: number;
}

/** Seconds that a session may live from now. At least 1: the provider refuses less. */
export function sessionLifetime(
  session: { loginTs?: number | undefined },
  { idle, absolute }: SessionLifetimes,
): number {
  if (session.loginTs === undefined) return idle;
  const left = session.loginTs + absolute - Math.floor(Date.now() / 1000);
  return Math.max(1, Math.min(idle, left));
}

export function browserOf(request: IncomingMessage | undefined): BrowserName | undefined {
  return browserName(request?.headers['user-agent']);
}

export function createBrowserSessions(deps: {
  provider: () => Provider;
  oidcRecords: OidcRecords;
  logouts: LogoutOutbox;
  lifetimes: SessionLifetimes;
  cookies: CookieSettings;
}): BrowserSessions {
  const { oidcRecords, lifetimes, cookies: cookie } = deps;

  /** The session that the browser's signed cookie names. */
  const stored = async (ctx: Pick<StepContext, 'cookies'>): Promise<OidcRecord | undefined> => {
    const id = ctx.cookies.get(deps.provider().cookieName('session'), cookie);
    return id ? oidcRecords.load('Session', id) : undefined;
  };
  const contextOf = (request: IncomingMessage, response: ServerResponse) =>
    deps.provider().createContext(request, response);

  return {
    async open(request, response, signIn) {
      const provider = deps.provider();
      const ctx = contextOf(request, response);
      // Never the id that the browser sent, against fixation.
      const old = await stored(ctx);
      if (old) await endSession(deps, old);
      const session = createSession(provider, { ...signIn, browser: browserOf(request) });
      await session.save(sessionLifetime(session, lifetimes));
      ctx.cookies.set(provider.cookieName('session'), session.jti, {
        ...cookie,
        expires: new Date(Number(session.exp) * 1000),
      });
    },
    async read(request, response) {
      const session = await stored(contextOf(request, response));
      if (typeof session?.payload.accountId !== 'string') return undefined;
      return { accountId: session.payload.accountId, ...sessionView(session) };
    },
    async endOpenedBy({ grantId, accountId }) {
      const sessions = await oidcRecords.listByAccount('Session', accountId);
      const opened = sessions.filter(({ payload }) => payload.openedBy === grantId);
      await Promise.all(opened.map((session) => endSession(deps, session)));
    },
    async end(request, response) {
      const ctx = contextOf(request, response);
      const session = await stored(ctx);
      if (session) await endSession(deps, session);
      ctx.cookies.set(deps.provider().cookieName('session'), null, cookie);
    },
  };
}
