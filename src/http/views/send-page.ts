/** Sends a page with the headers that every page needs, or sends the browser to another. */
import type { IncomingMessage, ServerResponse } from 'node:http';
import type { Context } from 'koa';
import { acceptedLanguages } from './i18n.ts';
import { pagePolicy } from './page-policy.ts';
import type { PageInput, Views } from './render.ts';

export interface PageReply extends PageInput {
  /** 200 when absent. */
  readonly status?: number;
  /** Where the page goes on to by itself. */
  readonly leadsTo?: string;
  /** Its form goes to another site. */
  readonly formsLeave?: boolean;
  /** Pictures from elsewhere, besides the brand's. */
  readonly images?: readonly (string | undefined)[];
  readonly frames?: boolean;
}

export function sendPage(ctx: Context, views: Views, reply: PageReply): void {
  ctx.status = reply.status ?? 200;
  ctx.type = 'html';
  ctx.body = pageText(ctx.req, ctx.res, views, reply);
}

/** After a form: the browser gets the next page by an address of its own, so that reloading sends nothing twice. */
export function seeOther(ctx: Context, address: string): void {
  ctx.redirect(address);
  ctx.status = 303;
}

/** The page for the provider, which holds the bare request and response: sets the policy, returns the document. */
export function pageText(
  request: IncomingMessage,
  response: ServerResponse,
  views: Views,
  reply: PageReply,
): string {
  const { logo, logoDark } = reply.brand ?? views.brand;
  const images = [logo, logoDark, ...(reply.images ?? [])];
  const languages = [...(reply.languages ?? []), ...acceptedLanguages(request.headers['accept-language'])];
  if (reply.leadsTo !== undefined) response.setHeader('Refresh', `0; url=${reply.leadsTo}`);
  const { html, scripts } = views.render({ ...reply, languages });
  response.setHeader(
    'Content-Security-Policy',
    pagePolicy({
      frames: reply.frames === true,
      formsLeave: reply.formsLeave === true,
      images,
      // Only what a view asks for with needs() is a script; a page without one allows none.
      scripts,
    }),
  );
  return html;
}
