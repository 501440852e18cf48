/** What the pages of a sign-in share in being shown: brand, language, form token, and the app that it is for. */
import { acceptedLanguages } from '../../http/views/i18n.ts';
import { seeOther, sendPage } from '../../http/views/send-page.ts';
import { accountClientId } from '../../oidc/contract.ts';
import type { Refusal } from '../shared/alert.ts';
import { brandOf } from '../shared/branding.ts';
import { interactionOf } from '../shared/interaction.ts';
import type { Step } from './guards.ts';

export async function renderInteraction(
  step: Step,
  name: string,
  data: Readonly<Record<string, unknown>>,
  { alert, status = 200 }: Refusal = {},
): Promise<void> {
  const { deps, ctx, view, organization: record } = step;
  sendPage(ctx, deps.views, {
    status,
    view: name,
    languages: view.uiLocales,
    brand: await brandOf(deps.identity, deps.views, { ...view, record }),
    data: { ...forApp(step), ...data, alert, token: deps.forms.tokenFor(ctx, interactionOf(ctx)) },
  });
}

/** To the page that follows from what is stored: reloading and going back never send anything twice. */
export function showNext({ ctx, view }: Pick<Step, 'ctx' | 'view'>): void {
  seeOther(ctx, `/interaction/${view.uid}`);
}

/**
 * The app's name as people know it, and where giving up leads: a browser finds no way to a device that shows
 * a code, and the account pages want a sign-in.
 */
function forApp({ deps, ctx, view }: Step) {
  const { uid, client } = view;
  if (view.forDevice) return { uid, client: client.name, leads: 'device' };
  if (client.clientId !== accountClientId(view.organization))
    return { uid, client: client.name, leads: 'app' };
  // The server's own page has a name in every language; a client's is what it registered.
  const languages = [...view.uiLocales, ...acceptedLanguages(ctx.get('Accept-Language'))];
  return { uid, client: deps.views.say(languages, 'account.as-app'), leads: 'front' };
}
