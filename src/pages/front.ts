/** What somebody sees who opens the server's address by hand. */
import type { Shows } from '../http/forms/guards.ts';
import { sendPage } from '../http/views/send-page.ts';
import type { PageDeps } from './shared/deps.ts';

export function front({ views, demo }: PageDeps): Shows {
  return (ctx) => sendPage(ctx, views, { view: 'front', data: { demo } });
}
