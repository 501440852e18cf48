/**
 * The sign-in that a request belongs to. Without the cookie of one interaction (expired, finished, another
 * browser's) there is nothing to go on with, but the way back to the app.
 */
import type { Context } from 'koa';
import { sendPage } from '../../http/views/send-page.ts';
import { InteractionGone, type InteractionView } from '../../oidc/contract.ts';
import { brandOf } from './branding.ts';
import type { PageDeps } from './deps.ts';
import { appOf, isForDevices, lastClient, rememberApp } from './return-to-app.ts';

/** The interaction of this browser and this address; when there is none, says so on a page. */
export async function readInteraction(deps: PageDeps, ctx: Context): Promise<InteractionView | undefined> {
  try {
    const view = await deps.interactions.read(ctx.req);
    if (view.uid === ctx.params.uid) {
      rememberApp(deps, ctx, view.client.clientId);
      return view;
    }
  } catch (error) {
    if (!(error instanceof InteractionGone)) throw error;
  }
  await sayGone(deps, ctx);
  return undefined;
}

/** What a form of an interaction is bound to. */
export function interactionOf(ctx: Context): string {
  return `interaction:${ctx.params.uid}`;
}

/** Nothing to go on with, and what to do now. */
export async function sayGone(deps: PageDeps, ctx: Context): Promise<void> {
  const client = await lastClient(deps, ctx);
  sendPage(ctx, deps.views, {
    status: 410,
    view: 'expired',
    brand: client && (await brandOf(deps.identity, deps.views, { ...client, client })),
    data: {
      app: client && appOf(deps, client),
      device: isForDevices(client),
      cookies: ctx.get('Cookie') !== '',
    },
  });
}
