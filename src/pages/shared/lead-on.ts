/**
 * The end of a form that leads to another site: a page of ours that goes on by itself, and not a redirect.
 * Browsers hold form-action against every redirect that follows a form, and where an app sends people on
 * (another host, a scheme of its own) cannot be listed. The page has a link besides, for a browser that opens
 * an app only when its person presses something. A program gets the redirect.
 */
import type { Context } from 'koa';
import { isNavigation } from '../../core/navigation.ts';
import { type PageReply, seeOther, sendPage } from '../../http/views/send-page.ts';
import type { InteractionView } from '../../oidc/contract.ts';
import { brandOf } from './branding.ts';
import type { PageDeps } from './deps.ts';

/** `returns`: the person comes back to finish here. */
export function leadingTo(url: string, name: string, { returns = false } = {}): PageReply {
  return { view: 'leading-on', leadsTo: url, data: { name, url, returns } };
}

/** To the app of a sign-in that is finished. */
export async function leadOn(
  deps: PageDeps,
  ctx: Context,
  { view, address }: { view: InteractionView; address: string },
): Promise<void> {
  // A device is signed in by a page of ours.
  if (view.forDevice || !isNavigation(ctx.headers)) return seeOther(ctx, address);
  sendPage(ctx, deps.views, {
    ...leadingTo(address, view.client.name),
    languages: view.uiLocales,
    brand: await brandOf(deps.identity, deps.views, view),
  });
}
