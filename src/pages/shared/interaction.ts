/**
 * The sign-in that a request belongs to. Without the cookie of one interaction (expired, finished, another
 * browser's: security.md S1) there is nothing to go on with, but the way back to the app.
 */
import type { Context } from 'koa';
import { sendPage } from '../../http/views/send-page.ts';
import type { InteractionView } from '../../oidc/contract.ts';
import { InteractionGone } from '../../oidc/contract.ts';
import { brandOf } from './branding.ts';
import type { PageParts } from './deps.ts';
import { appOf, isForDevices, lastClient, rememberApp } from './return-to-app.ts';

/** The interaction of this browser and this address; when there is none, says so on a page. */
export async function readInteraction(parts: PageParts, ctx: Context): Promise<InteractionView | undefined> {
  try {
    const view = await parts.interactions.read(ctx.req, ctx.res);
    if (view.uid === ctx.params.uid) {
      rememberApp(parts, ctx, view.client.clientId);
      return view;
    }
  } catch (error) {
    if (!(error instanceof InteractionGone)) throw error;
  }
  await sayGone(parts, ctx);
  return undefined;
}

/** Nothing to go on with, and what to do now. */
export async function sayGone(parts: PageParts, ctx: Context): Promise<void> {
  const client = await lastClient(parts, ctx);
  sendPage(ctx, parts.views, {
    status: 410,
    view: 'expired',
    brand: client && (await brandOf(parts.identity, parts.views, { ...client, client })),
    data: {
      app: client && appOf(parts, client),
      device: isForDevices(client),
      cookies: ctx.get('Cookie') !== '',
    },
  });
}
