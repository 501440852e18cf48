/**
 * The letters that the development mailbox caught. A letter's HTML is shown in a sandboxed frame with a
 * policy of its own: whatever a template does wrong stays in there.
 */
import Router from '@koa/router';
import type { Context, Middleware } from 'koa';
import { Refused } from '../core/refused.ts';
import type { Views } from '../http/views/render.ts';
import { sendPage } from '../http/views/send-page.ts';
import type { CaughtLetter, Mailbox } from '../mail/dev-mailbox.ts';

const LETTER_POLICY =
  "default-src 'none'; style-src 'unsafe-inline'; img-src data: https: http:; sandbox; frame-ancestors 'self'";

export function createMailboxPage(options: { mailbox: Pick<Mailbox, 'list'>; views: Views }): Middleware {
  const { mailbox, views } = options;
  return new Router({ sensitive: true })
    .get('/dev/mailbox', (ctx) => {
      const letters = mailbox.list().map((letter) => ({
        address: `/dev/mailbox/${nameOf(mailbox, letter)}`,
        subject: letter.subject,
        to: letter.to,
        at: letter.at.toISOString(),
      }));
      sendPage(ctx, views, { view: 'mailbox', wide: true, data: { letters } });
    })
    .get('/dev/mailbox/:number', (ctx) => {
      const letter = letterOf(mailbox, ctx);
      sendPage(ctx, views, {
        view: 'letter',
        wide: true,
        frames: true,
        data: {
          subject: letter.subject,
          from: `${letter.from.name} <${letter.from.address}>`,
          to: letter.to,
          at: letter.at.toISOString(),
          parts: linked(letter.text),
          html: `${ctx.path}/html`,
        },
      });
    })
    .get('/dev/mailbox/:number/html', (ctx) => {
      const letter = letterOf(mailbox, ctx);
      ctx.set('Content-Security-Policy', LETTER_POLICY);
      ctx.set('X-Frame-Options', 'SAMEORIGIN');
      ctx.type = 'html';
      ctx.body = letter.html;
    })
    .routes() as unknown as Middleware;
}

/** Letters are numbered from the oldest that is kept, so that a letter's address stays while others arrive. */
function nameOf(mailbox: Pick<Mailbox, 'list'>, letter: CaughtLetter): number {
  const letters = mailbox.list();
  return letters.length - letters.indexOf(letter);
}

function letterOf(mailbox: Pick<Mailbox, 'list'>, ctx: Context): CaughtLetter {
  const number = Number(ctx.params.number);
  const letter = Number.isSafeInteger(number) && number > 0 ? mailbox.list().at(-number) : undefined;
  if (letter === undefined) throw new Refused('not-found');
  return letter;
}

/** The text in pieces, with its web addresses as links to click. */
function linked(text: string): { text: string; href?: string }[] {
  return text
    .split(/(https?:\/\/[^\s<>"]+)/)
    .filter((piece) => piece !== '')
    .map((piece) => (/^https?:\/\//.test(piece) ? { text: piece, href: piece } : { text: piece }));
}
