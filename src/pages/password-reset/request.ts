/**
 * Forgot password: asks for the name and sends an email. The answer is the same for every name; the link in
 * the email begins with the configured issuer, whatever host the request named. The page
 * that the email leads to is reset.ts.
 */
import type { Context } from 'koa';
import { Refused } from '../../core/refused.ts';
import { seeOther, sendPage } from '../../http/views/send-page.ts';
import { requestReset } from '../../identity/self-service/request-password-reset.ts';
import { type Refusal, refusedBy } from '../shared/alert.ts';
import { brandOf } from '../shared/branding.ts';
import type { Page, PageDeps, PageForm } from '../shared/deps.ts';
import { organizationAsked, requestContext } from '../shared/request-context.ts';

interface ForgotState extends Refusal {
  readonly organization: string;
  /** The sign-in that the person comes from. */
  readonly interaction?: string | undefined;
  /** The app that it is for: the page wears its brand. */
  readonly client?: { readonly clientId: string };
  readonly login?: string;
}

export const forgot: Page = async (deps, ctx) => {
  const state = await stateOf(deps, ctx, ctx.query);
  await show(deps, ctx, { ...state, login: textOf(ctx.query.login).slice(0, 320) });
};

export const askForReset: PageForm = async (deps, ctx, form) => {
  const login = form.get('login') ?? '';
  const state = await stateOf(deps, ctx, {
    organization: form.get('organization'),
    interaction: form.get('interaction'),
    client: form.get('client'),
  });
  try {
    if (login.trim() === '' || login.length > 320) throw new Refused('invalid-fields');
    const { organization } = state;
    await requestReset(deps.identity, { organization, login, context: requestContext(ctx) });
  } catch (error) {
    await show(deps, ctx, { ...state, login, ...refusedBy(deps, ctx, error) });
    return;
  }
  seeOther(ctx, `/forgot/sent?${queryOf(state)}`);
};

export const forgotSent: Page = async (deps, ctx) => {
  const state = await stateOf(deps, ctx, ctx.query);
  sendPage(ctx, deps.views, {
    view: 'forgot-sent',
    brand: await brandOf(deps.identity, deps.views, state),
    data: { back: backOf(state), query: queryOf(state) },
  });
};

async function show(deps: PageDeps, ctx: Context, state: ForgotState): Promise<void> {
  sendPage(ctx, deps.views, {
    status: state.status ?? 200,
    view: 'forgot',
    brand: await brandOf(deps.identity, deps.views, state),
    data: {
      organization: state.organization,
      interaction: state.interaction ?? '',
      client: state.client?.clientId ?? '',
      login: state.login ?? '',
      back: backOf(state),
      alert: state.alert,
      token: deps.forms.tokenFor(ctx, 'forgot'),
    },
  });
}

async function stateOf(
  deps: PageDeps,
  ctx: Context,
  input: { organization?: unknown; interaction?: unknown; client?: unknown },
): Promise<ForgotState> {
  const interaction = textOf(input.interaction);
  const clientId = textOf(input.client);
  return {
    organization: await organizationAsked(deps, ctx, input.organization),
    ...(/^[\w-]{10,64}$/.test(interaction) && { interaction }),
    ...(/^[A-Za-z0-9._~-]{1,128}$/.test(clientId) && { client: { clientId } }),
  };
}

/** To the sign-in that the person comes from, or to one of our own. */
function backOf({ interaction, organization }: ForgotState): string {
  if (interaction !== undefined) return `/interaction/${interaction}`;
  return `/account?organization=${encodeURIComponent(organization)}`;
}

function queryOf({ interaction, organization, client }: ForgotState): string {
  const query = {
    organization,
    ...(interaction !== undefined && { interaction }),
    ...(client !== undefined && { client: client.clientId }),
  };
  return String(new URLSearchParams(query));
}

function textOf(value: unknown): string {
  return typeof value === 'string' ? value : '';
}
