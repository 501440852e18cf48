/**
 * The map of a sign-in: the steps of an interaction, and where upstreams answer. Guards: page-guards.ts.
 * `answer` lets any site through, because an upstream is one; what it brings is bound by its `state` to the
 * browser that went there (pages/upstream-sign-in.ts).
 */
import Router from '@koa/router';
import type { Context, Middleware } from 'koa';
import { Refused } from '../../core/refused.ts';
import type { Forms } from '../../http/forms/csrf.ts';
import { pageGuards, type Shows, type Submits } from '../../http/forms/guards.ts';
import { type FormFields, readForm } from '../../http/forms/read-form.ts';

export interface SignInHandlers {
  readonly signIn: Submits;
  readonly giveName: Submits;
  readonly sendCode: Submits;
  readonly enterCode: Submits;
  readonly confirmPassword: Submits;
  readonly chooseAccount: Submits;
  readonly anotherMethod: Submits;
  readonly goUpstream: Submits;
  readonly upstreamAnswered: Submits;
  readonly arrived: Shows;
}

export function signInRoutes(
  pages: SignInHandlers,
  forms: Forms,
  interactionOf: (ctx: Context) => string,
): Middleware {
  const { open, ownForm } = pageGuards(forms);
  return new Router({ sensitive: true })
    .post('/interaction/:uid/sign-in', ownForm(interactionOf, pages.signIn))
    .post('/interaction/:uid/name', ownForm(interactionOf, pages.giveName))
    .post('/interaction/:uid/code/send', ownForm(interactionOf, pages.sendCode))
    .post('/interaction/:uid/code', ownForm(interactionOf, pages.enterCode))
    .post('/interaction/:uid/password', ownForm(interactionOf, pages.confirmPassword))
    .post('/interaction/:uid/account', ownForm(interactionOf, pages.chooseAccount))
    .post('/interaction/:uid/another', ownForm(interactionOf, pages.anotherMethod))
    .post('/interaction/:uid/with/:provider', ownForm(interactionOf, pages.goUpstream))
    .get('/interaction/:uid/arrived', open(pages.arrived))
    .get('/federation/:provider/callback', answer(pages.upstreamAnswered))
    .post('/federation/:provider/callback', answer(pages.upstreamAnswered))
    .routes() as unknown as Middleware;
}

function answer(submits: Submits): Middleware {
  return async (ctx) => {
    // A link preview asks with HEAD, which would use the answer up.
    if (ctx.method === 'HEAD') throw new Refused('method-not-allowed', { allow: ['GET', 'POST'] });
    await submits(ctx, ctx.method === 'POST' ? await readForm(ctx.req) : queryOf(ctx));
  };
}

function queryOf(ctx: Context): FormFields {
  const query = new URLSearchParams(ctx.querystring);
  for (const name of query.keys()) {
    if (query.getAll(name).length > 1)
      throw new Refused('unreadable-body', { detail: 'a field given twice' });
  }
  return query;
}
