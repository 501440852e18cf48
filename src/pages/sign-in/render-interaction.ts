/** What the pages of a sign-in share in being shown: brand, language, form token, and the app that it is for. */
import type { Context } from 'koa';
import { acceptedLanguages } from '../../http/views/i18n.ts';
import { sendPage } from '../../http/views/send-page.ts';
import { accountClientId, type InteractionView } from '../../oidc/contract.ts';
import type { Alert } from '../shared/alert.ts';
import { brandOf } from '../shared/branding.ts';
import type { PageDeps } from '../shared/deps.ts';
import { interactionOf } from '../shared/interaction.ts';

interface InteractionPage {
  readonly view: string;
  readonly data: Readonly<Record<string, unknown>>;
  readonly alert?: Alert | undefined;
  readonly status?: number | undefined;
}

export async function renderInteraction(
  deps: PageDeps,
  ctx: Context,
  view: InteractionView,
  { data, alert, status = 200, view: name }: InteractionPage,
): Promise<void> {
  const { identity, views, forms } = deps;
  sendPage(ctx, views, {
    status,
    view: name,
    languages: view.uiLocales,
    brand: await brandOf(identity, views, view),
    formTargets: [view.redirectUri],
    data: { ...forApp(deps, ctx, view), ...data, alert, token: forms.tokenFor(ctx, interactionOf(ctx)) },
  });
}

/**
 * The app's name as people know it, and where giving up leads: a browser finds no way to a device that shows
 * a code, and the account pages want a sign-in.
 */
function forApp({ views }: PageDeps, ctx: Context, view: InteractionView) {
  const { uid, client } = view;
  if (view.forDevice) return { uid, client: client.name, leads: 'device' };
  if (client.clientId !== accountClientId(view.organization))
    return { uid, client: client.name, leads: 'app' };
  // The server's own page has a name in every language; a client's is what it registered.
  const languages = [...view.uiLocales, ...acceptedLanguages(ctx.get('Accept-Language'))];
  return { uid, client: views.say(languages, 'account.as-app'), leads: 'front' };
}
