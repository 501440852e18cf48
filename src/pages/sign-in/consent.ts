/** Consent: what an app asks for, in plain words, and the person's answer. */
import { Refused } from '../../core/refused.ts';
import { acceptedLanguages } from '../../http/views/i18n.ts';
import { recordEvent } from '../../identity/audit/audit.ts';
import type { InteractionView } from '../../oidc/contract.ts';
import { webAddress } from '../shared/branding.ts';
import { leadOn } from '../shared/lead-on.ts';
import { loginShown } from '../shared/login-shown.ts';
import { scopesInWords } from '../shared/scopes.ts';
import { accountIn } from './flow-state.ts';
import type { SignInStep, Step } from './guards.ts';
import { renderInteraction } from './render-interaction.ts';

export async function showConsent(step: Step): Promise<void> {
  const { client, accountId, missingScopes, missingApis, uiLocales } = step.view;
  const languages = [...uiLocales, ...acceptedLanguages(step.ctx.get('Accept-Language'))];
  const account = await accountIn(step, accountId);
  await renderInteraction(step, 'consent', {
    account: loginShown(account) || (account?.claims.name ?? ''),
    scopes: scopesInWords(missingScopes, { apis: missingApis, languages }),
    links: linksOf(client),
    unregistered: client.unregistered,
    leadsTo: client.registered ? leadsTo(step.view) : undefined,
  });
}

export const consent: SignInStep = async (step) => {
  const { deps, ctx, view, form } = step;
  // A consent form that was kept open says nothing about the sign-in that is asked for now.
  if (view.prompt !== 'consent') throw new Refused('unreadable-body', { detail: 'no consent is asked for' });
  const decision = form.get('decision');
  if (decision !== 'allow' && decision !== 'deny')
    throw new Refused('unreadable-body', { detail: 'no decision' });
  const address = await (decision === 'allow' ? allow(step) : deny(step));
  await leadOn(deps, ctx, { view, address });
};

async function allow(step: Step): Promise<string> {
  const { deps, ctx } = step;
  const { address, remembered } = await deps.interactions.finishConsent(ctx.req);
  if (remembered) noteConsent(step);
  return address;
}

function deny({ deps, ctx }: Step): Promise<string> {
  const description = 'The person did not allow the access.';
  return deps.interactions.abort(ctx.req, { error: 'access_denied', description });
}

function noteConsent({ deps, view, context }: Step): void {
  const { organization, accountId: subject } = view;
  const detail = { client: view.client.clientId, scopes: [...view.missingScopes] };
  recordEvent(deps.identity, { event: 'consent.give', organization, subject, context, detail });
}

/** Where the answer goes, as far as it can be told from another application's: the host, or the scheme. */
function leadsTo({ redirectUri, forDevice }: InteractionView): { key: string; to: string } {
  const url = URL.parse(redirectUri ?? '');
  if (forDevice || url === null) return { key: 'device', to: '' };
  const isWeb = url.protocol === 'https:' || url.protocol === 'http:';
  const isHere = /^(?:localhost|127\.0\.0\.1|\[::1\])$/.test(url.hostname);
  return isWeb && !isHere
    ? { key: 'host', to: url.host }
    : { key: 'here', to: isWeb ? url.host : url.protocol };
}

function linksOf(client: InteractionView['client']): { key: string; href: string }[] {
  const links = [
    { key: 'policy', href: webAddress(client.policyUri) },
    { key: 'terms', href: webAddress(client.tosUri) },
  ];
  return links.flatMap(({ key, href }) => (href === undefined ? [] : [{ key, href }]));
}
