/**
 * Forgot password: asks for the name and sends a letter. The answer is the same for everybody; the link in
 * the letter begins with the configured issuer, whatever host the request named (security.md W6). The page
 * that the letter leads to is reset-password.ts.
 */
import type { Context } from 'koa';
import { Refused } from '../../core/refused.ts';
import type { Shows, Submits } from '../../http/forms/guards.ts';
import { sendPage } from '../../http/views/send-page.ts';
import { requestReset } from '../../identity/self-service/request-password-reset.ts';
import type { Alert } from '../shared/alert.ts';
import { alertFor, statusFor } from '../shared/alert.ts';
import { brandOf } from '../shared/branding.ts';
import type { PageParts } from '../shared/deps.ts';
import { organizationAsked } from '../shared/organization-asked.ts';
import { originOf } from '../shared/request-origin.ts';

interface ForgotState {
  readonly organization: string;
  /** The sign-in that the person comes from. */
  readonly interaction?: string | undefined;
  /** The app that it is for: the page wears its brand. */
  readonly client?: { readonly clientId: string };
  readonly login?: string;
  readonly alert?: Alert;
  readonly status?: number;
}

export function forgot(parts: PageParts): Shows {
  return async (ctx) => {
    const state = await stateOf(parts, ctx, ctx.query);
    await show(parts, ctx, { ...state, login: textOf(ctx.query.login).slice(0, 320) });
  };
}

export function askForReset(parts: PageParts): Submits {
  return async (ctx, form) => {
    const login = form.get('login') ?? '';
    const state = await stateOf(parts, ctx, {
      organization: form.get('organization'),
      interaction: form.get('interaction'),
      client: form.get('client'),
    });
    try {
      if (login.trim() === '' || login.length > 320) throw new Refused('invalid-fields');
      await requestReset(parts.identity, { organization: state.organization, login, origin: originOf(ctx) });
    } catch (error) {
      if (!(error instanceof Refused)) throw error;
      if (error.retryAfter !== undefined) ctx.set('Retry-After', String(error.retryAfter));
      await show(parts, ctx, { ...state, login, alert: alertFor(error), status: statusFor(error) });
      return;
    }
    ctx.redirect(`/forgot/sent?${queryOf(state)}`);
    ctx.status = 303;
  };
}

export function forgotSent(parts: PageParts): Shows {
  return async (ctx) => {
    const state = await stateOf(parts, ctx, ctx.query);
    sendPage(ctx, parts.views, {
      view: 'forgot-sent',
      brand: await brandOf(parts.identity, parts.views, state),
      data: { back: backOf(state), query: queryOf(state) },
    });
  };
}

async function show(parts: PageParts, ctx: Context, state: ForgotState): Promise<void> {
  sendPage(ctx, parts.views, {
    status: state.status ?? 200,
    view: 'forgot',
    brand: await brandOf(parts.identity, parts.views, state),
    data: {
      organization: state.organization,
      interaction: state.interaction ?? '',
      client: state.client?.clientId ?? '',
      login: state.login ?? '',
      back: backOf(state),
      alert: state.alert,
      token: parts.forms.tokenFor(ctx, 'forgot'),
    },
  });
}

async function stateOf(
  parts: PageParts,
  ctx: Context,
  given: { organization?: unknown; interaction?: unknown; client?: unknown },
): Promise<ForgotState> {
  const interaction = textOf(given.interaction);
  const clientId = textOf(given.client);
  return {
    organization: (await organizationAsked(parts, ctx, given.organization)) ?? 'default',
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
