/**
 * Sign-in with a password: identifier and password on one page. Every way to be refused (unknown, wrong,
 * blocked, no password) has the same words, status and work behind it.
 */
import type { Context } from 'koa';
import { factsOf } from '../http/request-facts.ts';
import { interactionOf, type Submits } from '../http/routes.ts';
import { sendPage } from '../http/send-page.ts';
import { findAccount } from '../identity/accounts.ts';
import { Refused } from '../identity/refusal.ts';
import { signInWithPassword } from '../identity/sign-in-with-password.ts';
import { ACR, type InteractionView } from '../oidc/oidc.ts';
import { type Alert, alertFor, statusFor } from './alert.ts';
import { brandOf } from './branding.ts';
import { showConsent } from './consent.ts';
import { readInteraction } from './interaction.ts';
import type { PageParts } from './parts.ts';

interface SignInState {
  readonly login: string;
  readonly remember: boolean;
  readonly alert?: Alert | undefined;
  readonly status?: number;
}

/** The page; `state` is what the person had entered when a try was refused. */
export async function showSignIn(
  parts: PageParts,
  ctx: Context,
  view: InteractionView,
  state?: SignInState,
): Promise<void> {
  const login = state?.login ?? (await likelyLogin(parts, view));
  sendPage(ctx, parts.views, {
    status: state?.status ?? 200,
    view: 'sign-in',
    languages: view.uiLocales,
    brand: await brandOf(parts.identity, parts.views, view.organization),
    formTargets: [view.redirectUri],
    data: {
      uid: view.uid,
      client: view.client.name,
      again: view.accountId !== undefined,
      login,
      remember: state?.remember ?? false,
      alert: state?.alert,
      token: parts.forms.tokenFor(ctx, interactionOf(ctx)),
    },
  });
}

export function signIn(parts: PageParts): Submits {
  return async (ctx, form) => {
    const view = await readInteraction(parts, ctx);
    if (view === undefined) return;
    // A sign-in form that was kept open must not change who answers the consent that is asked for now.
    if (view.prompt === 'consent') {
      await showConsent(parts, ctx, view);
      return;
    }
    const login = form.get('login') ?? '';
    const remember = form.get('remember') === 'yes';
    const { id, address } = factsOf(ctx);
    let accountId: string;
    try {
      const account = await signInWithPassword(parts.identity, {
        organization: view.organization,
        login,
        password: form.get('password') ?? '',
        by: ['email', 'username'],
        origin: { address, requestId: id, clientId: view.client.clientId, door: 'hosted' },
      });
      accountId = account.id;
    } catch (error) {
      if (!(error instanceof Refused)) throw error;
      if (error.retryAfter !== undefined) ctx.set('Retry-After', String(error.retryAfter));
      const alert = alertFor(error);
      await showSignIn(parts, ctx, view, { login, remember, alert, status: statusFor(error) });
      return;
    }
    ctx.respond = false;
    await parts.interactions.finishLogin(ctx.req, ctx.res, {
      accountId,
      amr: ['pwd'],
      acr: ACR.single,
      remember,
    });
  };
}

/** What the app said about the person, or who is signed in here and has to prove it again. */
async function likelyLogin(parts: PageParts, view: InteractionView): Promise<string> {
  if (view.accountId === undefined) return view.loginHint ?? '';
  const account = await findAccount(parts.identity, { id: view.accountId, organization: view.organization });
  return account?.email ?? account?.username ?? view.loginHint ?? '';
}
