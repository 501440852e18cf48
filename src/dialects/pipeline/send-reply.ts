/** Puts a dialect's Reply on the wire, with what every reply carries. */
import type Koa from 'koa';
import type { Reply, ReplyCookie } from '../contract/reply.ts';

/** Name and value as RFC 6265 wants them; whatever would end the pair early is escaped. */
function cookieLine(cookie: ReplyCookie): string {
  const value = encodeURIComponent(cookie.value);
  const deps = [`${cookie.name}=${value}`, `Max-Age=${cookie.maxAge}`, `Path=${cookie.path}`];
  if (cookie.domain !== undefined) deps.push(`Domain=${cookie.domain}`);
  if (cookie.maxAge === 0) deps.push('Expires=Thu, 01 Jan 1970 00:00:00 GMT');
  if (cookie.httpOnly) deps.push('HttpOnly');
  if (cookie.secure) deps.push('Secure');
  deps.push(`SameSite=${cookie.sameSite}`);
  return deps.join('; ');
}

export async function sendReply(options: {
  readonly context: Koa.Context;
  readonly reply: Reply;
  showPage(page: {
    readonly status: number;
    readonly view: string;
    readonly data: Readonly<Record<string, unknown>>;
  }): Promise<void>;
}): Promise<void> {
  const { context, reply } = options;
  const { body } = reply;
  context.status = reply.status;
  if ('json' in body) {
    context.body = JSON.stringify(body.json);
    context.type = 'application/json; charset=utf-8';
  } else if ('page' in body) {
    await options.showPage({ status: reply.status, view: body.page, data: body.data });
  } else {
    context.body = null;
    context.status = reply.status;
  }
  for (const [name, value] of Object.entries(reply.headers ?? {})) context.set(name, value);
  for (const cookie of reply.cookies ?? []) context.append('Set-Cookie', cookieLine(cookie));
}
