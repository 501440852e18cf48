/** Who goes on: the person who is signed in here, or another one. */
import type { Context } from 'koa';
import type { Submits } from '../../http/forms/guards.ts';
import { sendPage } from '../../http/views/send-page.ts';
import { findAccount } from '../../identity/accounts/find-account.ts';
import type { InteractionView } from '../../oidc/contract.ts';
import { brandOf } from '../shared/branding.ts';
import { forApp } from '../shared/client-label.ts';
import type { PageDeps } from '../shared/deps.ts';
import { interactionOf } from '../shared/interaction-of.ts';
import { goTo, type Progress, progressOf } from './flow-state.ts';
import { duringSignIn } from './guard.ts';

export async function showChoice(deps: PageDeps, ctx: Context, view: InteractionView): Promise<void> {
  const account =
    view.accountId === undefined
      ? undefined
      : await findAccount(deps.identity, { id: view.accountId, organization: view.organization });
  const { claims } = account ?? {};
  const parted = [claims?.given_name, claims?.family_name].filter((part) => part !== undefined).join(' ');
  const login = account?.email ?? account?.username ?? '';
  sendPage(ctx, deps.views, {
    view: 'choose-account',
    languages: view.uiLocales,
    brand: await brandOf(deps.identity, deps.views, view),
    formTargets: [view.redirectUri],
    data: {
      ...forApp(deps, ctx, view),
      name: claims?.name ?? (parted === '' ? login : parted),
      login,
      token: deps.forms.tokenFor(ctx, interactionOf(ctx)),
    },
  });
}

/** The one who is signed in. */
export function chooseAccount(deps: PageDeps): Submits {
  return duringSignIn(deps, async (ctx, _form, view) => {
    if (view.prompt !== 'select_account' || view.accountId === undefined) {
      await goTo(deps, ctx, view, progressOf(view));
      return;
    }
    ctx.respond = false;
    await deps.interactions.finishChoice(ctx.req, ctx.res);
  });
}

/** One step back, or to the beginning as somebody else. What was proven is forgotten with it. */
export function anotherMethod(deps: PageDeps): Submits {
  return duringSignIn(deps, async (ctx, form, view) => {
    await goTo(
      deps,
      ctx,
      view,
      form.get('to') === 'account' ? { another: true } : stepBack(progressOf(view)),
    );
  });
}

function stepBack(progress: Progress): Progress {
  const { code, link, proven, login, ...rest } = progress;
  if (code !== undefined) {
    // Where the code was the second proof there is no other: back means the beginning.
    const more = { ...(link && { link }), ...(login !== undefined && { login }) };
    return code.purpose === 'hosted-step-up' ? rest : { ...rest, ...more };
  }
  return rest;
}
