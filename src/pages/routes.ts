/**
 * What the hosted pages answer where: path, guard and handler of each. The steps of a sign-in are in
 * sign-in/routes.ts, the account pages in account/routes.ts. The provider's routes (/authorize, /token, ...)
 * are the provider's; the dialects' are in their tables. Guards: http/forms/guards.ts.
 */
import Router from '@koa/router';
import type { Middleware } from 'koa';
import { middlewareOf, pageGuards } from '../http/forms/guards.ts';
import { sendPage } from '../http/views/send-page.ts';
import { accountRoutes } from './account/routes.ts';
import { askForReset, forgot, forgotSent } from './password-reset/request.ts';
import { resetDone, setNewPassword, showReset } from './password-reset/reset.ts';
import type { Page, PageDeps } from './shared/deps.ts';
import { signInRoutes } from './sign-in/routes.ts';
import { upstreamNotified } from './upstream-notices.ts';

export function pageRoutes(deps: PageDeps): Middleware {
  const { open, ownForm, ownFormNoReferrer } = pageGuards(deps);
  const router = new Router({ sensitive: true })
    .get('/', open(front))
    .get('/forgot', open(forgot))
    .post('/forgot', ownForm('forgot', askForReset))
    .get('/forgot/sent', open(forgotSent))
    .get('/reset', open(showReset))
    .post('/reset', ownFormNoReferrer('reset', setNewPassword))
    .get('/reset/done', open(resetDone))
    .post('/federation/:provider/notifications', open(upstreamNotified))
    .use(signInRoutes(deps))
    .use(accountRoutes(deps));
  return middlewareOf(router);
}

/** What a person sees who opens the server's address by hand. */
const front: Page = ({ views, demo }, ctx) => sendPage(ctx, views, { view: 'front', data: { demo } });
