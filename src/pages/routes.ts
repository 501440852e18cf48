/**
 * The hosted pages' map: what is answered where, and what stands before it. The provider's routes
 * (/authorize, /token, ...) are the provider's, the dialects' are in their tables.
 * The steps of a sign-in are sign-in-routes.ts, the account pages account-routes.ts. Guards: page-guards.ts.
 */

import Router from '@koa/router';
import type { Middleware } from 'koa';
import type { Forms } from '../http/forms/csrf.ts';
import { pageGuards, type Shows, type Submits } from '../http/forms/guards.ts';
import { type AccountHandlers, accountRoutes } from './account/routes.ts';
import { interactionOf } from './shared/interaction-of.ts';
import { type SignInHandlers, signInRoutes } from './sign-in/routes.ts';

export interface PageHandlers extends SignInHandlers {
  readonly front: Shows;
  readonly interaction: Shows;
  readonly consent: Submits;
  readonly cancel: Submits;
  readonly reset: Shows;
  readonly resetDone: Shows;
  readonly setNewPassword: Submits;
  readonly forgot: Shows;
  readonly askForReset: Submits;
  readonly forgotSent: Shows;
  readonly register: Shows;
  readonly beginRegistration: Submits;
  readonly registerCode: Shows;
  readonly finishRegistration: Submits;
  readonly resendRegistration: Submits;
  readonly account: AccountHandlers;
}

export function pageRoutes(pages: PageHandlers, forms: Forms): Middleware {
  const { open, ownForm, ownFormNoReferrer } = pageGuards(forms);
  return new Router({ sensitive: true })
    .get('/', open(pages.front))
    .get('/interaction/:uid', open(pages.interaction))
    .use(signInRoutes(pages, forms, interactionOf))
    .post('/interaction/:uid/consent', ownForm(interactionOf, pages.consent))
    .post('/interaction/:uid/cancel', ownForm(interactionOf, pages.cancel))
    .get('/interaction/:uid/register', open(pages.register))
    .post('/interaction/:uid/register', ownForm(interactionOf, pages.beginRegistration))
    .get('/interaction/:uid/register/code', open(pages.registerCode))
    .post('/interaction/:uid/register/code', ownForm(interactionOf, pages.finishRegistration))
    .post('/interaction/:uid/register/again', ownForm(interactionOf, pages.resendRegistration))
    .get('/forgot', open(pages.forgot))
    .post(
      '/forgot',
      ownForm(() => 'forgot', pages.askForReset),
    )
    .get('/forgot/sent', open(pages.forgotSent))
    .get('/reset', open(pages.reset))
    .get('/reset/done', open(pages.resetDone))
    .post(
      '/reset',
      ownFormNoReferrer(() => 'reset', pages.setNewPassword),
    )
    .use(accountRoutes(pages.account, forms))
    .get('/interaction/:uid/*step', toInteraction)
    .routes() as unknown as Middleware;
}

/** A step that was reloaded by its address, which only takes forms: the interaction knows what is due. */
const toInteraction: Middleware = async (ctx) => {
  const { uid } = (ctx as unknown as { params: { uid: string } }).params;
  ctx.status = 303;
  ctx.set('Location', `/interaction/${encodeURIComponent(uid)}`);
};
