/** What the pages of a sign-in say about what it is for: the name of the app, and where giving up leads. */
import type { Context } from 'koa';
import { acceptedLanguages } from '../../http/views/i18n.ts';
import { accountClientId, type InteractionView } from '../../oidc/contract.ts';
import type { PageDeps } from './deps.ts';

export interface ForApp {
  readonly uid: string;
  /** As people know it. */
  readonly client: string;
  /** A browser finds no way to a device that shows a code, and the account pages want a sign-in. */
  readonly leads: 'app' | 'device' | 'front';
}

export function forApp({ views }: Pick<PageDeps, 'views'>, ctx: Context, view: InteractionView): ForApp {
  const { uid, client } = view;
  if (view.forDevice) return { uid, client: client.name, leads: 'device' };
  if (client.clientId !== accountClientId(view.organization))
    return { uid, client: client.name, leads: 'app' };
  // The server's own page has a name in every language; a client's is what it registered.
  const languages = [...view.uiLocales, ...acceptedLanguages(ctx.get('Accept-Language'))];
  return { uid, client: views.say(languages, 'account.as-app'), leads: 'front' };
}
