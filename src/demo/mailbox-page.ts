/**
 * The emails that the development mailbox caught. An email's HTML is shown in a sandboxed frame with a
 * policy of its own: whatever a template does wrong stays in there.
 */
import Router from '@koa/router';
import type { Context, Middleware } from 'koa';
import { Refused } from '../core/refused.ts';
import { middlewareOf } from '../http/forms/guards.ts';
import type { Views } from '../http/views/render.ts';
import { sendPage } from '../http/views/send-page.ts';
import type { CaughtEmail, Mailbox } from '../mail/dev-mailbox.ts';

const EMAIL_POLICY =
  "default-src 'none'; style-src 'unsafe-inline'; img-src data: https: http:; sandbox; frame-ancestors 'self'";

export function createMailboxPage(options: { mailbox: Pick<Mailbox, 'list'>; views: Views }): Middleware {
  const { mailbox, views } = options;
  const router = new Router({ sensitive: true })
    .get('/dev/mailbox', (ctx) => {
      const emails = mailbox.list().map((email) => ({
        address: `/dev/mailbox/${nameOf(mailbox, email)}`,
        subject: email.subject,
        to: email.to,
        at: email.at.toISOString(),
      }));
      sendPage(ctx, views, { view: 'mailbox', wide: true, data: { emails } });
    })
    .get('/dev/mailbox/:number', (ctx) => {
      const email = emailOf(mailbox, ctx);
      sendPage(ctx, views, {
        view: 'email',
        wide: true,
        frames: true,
        data: {
          subject: email.subject,
          from: `${email.from.name} <${email.from.address}>`,
          to: email.to,
          at: email.at.toISOString(),
          pieces: linked(email.text),
          html: `${ctx.path}/html`,
        },
      });
    })
    .get('/dev/mailbox/:number/html', (ctx) => {
      const email = emailOf(mailbox, ctx);
      ctx.set('Content-Security-Policy', EMAIL_POLICY);
      ctx.set('X-Frame-Options', 'SAMEORIGIN');
      ctx.type = 'html';
      ctx.body = email.html;
    });
  return middlewareOf(router);
}

/** Emails are numbered from the oldest that is kept, so that an email's address stays while others arrive. */
function nameOf(mailbox: Pick<Mailbox, 'list'>, email: CaughtEmail): number {
  const emails = mailbox.list();
  return emails.length - emails.indexOf(email);
}

function emailOf(mailbox: Pick<Mailbox, 'list'>, ctx: Context): CaughtEmail {
  const number = Number(ctx.params.number);
  const email = Number.isSafeInteger(number) && number > 0 ? mailbox.list().at(-number) : undefined;
  if (email === undefined) throw new Refused('not-found');
  return email;
}

/** The text in pieces, with its web addresses as links to click. */
function linked(text: string): { text: string; href?: string }[] {
  return text
    .split(/(https?:\/\/[^\s<>"]+)/)
    .filter((piece) => piece !== '')
    .map((piece) => (/^https?:\/\//.test(piece) ? { text: piece, href: piece } : { text: piece }));
}
