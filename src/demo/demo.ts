/**
 * For development only: a small application that signs people in with this server (/demo), and the page
 * that shows the emails which the development mailbox caught (/dev/mailbox). Neither exists in production,
 * and nothing else knows this folder: it speaks to the server over HTTP and to the mailbox over its list.
 */
import Router from '@koa/router';
import { decodeJwt, decodeProtectedHeader } from 'jose';
import type { Context, Middleware } from 'koa';
import type { Forms } from '../http/forms/csrf.ts';
import { middlewareOf, pageGuards } from '../http/forms/guards.ts';
import type { Views } from '../http/views/render.ts';
import { seeOther, sendPage } from '../http/views/send-page.ts';
import { createDemoSessions, type DemoSession } from './demo-sessions.ts';
import { createRelyingParty, type RelyingParty } from './relying-party.ts';

interface Demo {
  readonly issuer: string;
  readonly party: RelyingParty;
  readonly views: Views;
  readonly forms: Forms;
}

type Action = (demo: Demo, ctx: Context, session: DemoSession) => Promise<void>;

export function createDemo(options: { issuer: string; views: Views; forms: Forms }): Middleware {
  const demo: Demo = { ...options, party: createRelyingParty(options.issuer) };
  const sessions = createDemoSessions();
  const { open, ownForm } = pageGuards(demo);
  const page = (action: Action) => open((_demo, ctx) => action(demo, ctx, sessions.of(ctx)));
  const form = (action: Action) => ownForm('demo', (_demo, ctx) => action(demo, ctx, sessions.of(ctx)));
  const router = new Router({ sensitive: true })
    .get('/demo', page(show))
    .get('/demo/callback', page(finish))
    .post('/demo/sign-in', form(begin))
    .post('/demo/refresh', form(refresh))
    .post('/demo/userinfo', form(userinfo))
    .post('/demo/sign-out', form(signOut));
  return middlewareOf(router);
}

const show: Action = async ({ views, forms, issuer }, ctx, session) => {
  const { tokens, notice } = session;
  session.notice = undefined;
  const token = forms.tokenFor(ctx, 'demo');
  if (tokens === undefined) {
    sendPage(ctx, views, { view: 'demo-start', data: { token, notice, issuer } });
    return;
  }
  sendPage(ctx, views, {
    view: 'demo-signed-in',
    wide: true,
    data: {
      token,
      notice,
      idToken: decoded(tokens.id_token),
      accessToken: tokens.access_token,
      accessClaims: decoded(tokens.access_token),
      refreshToken: tokens.refresh_token,
      scope: tokens.scope,
      expiresIn: tokens.expires_in,
      userinfo: pretty(session.userinfo),
    },
  });
};

const begin: Action = async ({ party }, ctx, session) => {
  const { url, started } = await party.begin();
  session.started = started;
  seeOther(ctx, url);
};

const finish: Action = async ({ party, issuer }, ctx, session) => {
  const { started } = session;
  session.started = undefined;
  if (started === undefined) session.notice = 'No sign-in was under way in this browser.';
  else {
    await noting(session, async () => {
      Object.assign(session, await party.finish(new URL(ctx.url, issuer), started));
      return 'Signed in.';
    });
  }
  seeOther(ctx, '/demo');
};

const refresh: Action = async ({ party }, ctx, session) => {
  const { tokens } = session;
  if (tokens !== undefined) {
    await noting(session, async () => {
      session.tokens = await party.refresh(tokens);
      return 'Refreshed: the tokens below are new.';
    });
  }
  seeOther(ctx, '/demo');
};

const userinfo: Action = async ({ party }, ctx, session) => {
  const { tokens, subject = '' } = session;
  if (tokens !== undefined) {
    await noting(session, async () => {
      session.userinfo = await party.userinfo(tokens.access_token, subject);
      return 'Userinfo answered.';
    });
  }
  seeOther(ctx, '/demo');
};

const signOut: Action = async ({ party }, ctx, session) => {
  const url = await party.signOut(session.tokens?.id_token);
  session.tokens = undefined;
  session.userinfo = undefined;
  session.notice = 'Signed out of the demo application.';
  seeOther(ctx, url);
};

/** Does it and keeps what happened for the next page; a refusal of the server is something to show, not an error. */
async function noting(session: DemoSession, work: () => Promise<string>): Promise<void> {
  try {
    session.notice = await work();
  } catch (error) {
    session.notice = error instanceof Error ? describe(error) : 'That did not work.';
  }
}

function describe(error: Error & { error?: string; error_description?: string }): string {
  const { error: code, error_description: description } = error;
  return [code, description].filter((part) => typeof part === 'string').join(': ') || error.message;
}

/** Header and claims of a JWT, to be looked at only: nothing here is verified. Undefined for anything else. */
function decoded(token = ''): string | undefined {
  try {
    return pretty({ header: decodeProtectedHeader(token), claims: decodeJwt(token) });
  } catch {
    return undefined;
  }
}

function pretty(value: unknown): string | undefined {
  return value === undefined ? undefined : JSON.stringify(value, null, 2);
}
