/** What somebody sees who opens the server's address by hand. */
import type { Shows } from '../http/routes.ts';
import { sendPage } from '../http/send-page.ts';
import type { PageParts } from './parts.ts';

export function front({ views, demo }: PageParts): Shows {
  return (ctx) => sendPage(ctx, views, { view: 'front', data: { demo } });
}
