/** Consent: what an app asks for, in plain words, and the person's answer. */
import type { Context } from 'koa';
import { Refused } from '../../core/refused.ts';
import { findAccount } from '../../identity/accounts/find-account.ts';
import { recordEvent } from '../../identity/audit/audit.ts';
import type { InteractionView } from '../../oidc/contract.ts';
import { webAddress } from '../shared/branding.ts';
import type { PageDeps } from '../shared/deps.ts';
import { requestContext } from '../shared/request-context.ts';
import { scopesInWords } from '../shared/scopes.ts';
import type { SignInStep } from './guards.ts';
import { renderInteraction } from './render-interaction.ts';

export async function showConsent(deps: PageDeps, ctx: Context, view: InteractionView): Promise<void> {
  const account =
    view.accountId === undefined
      ? undefined
      : await findAccount(deps.identity, { id: view.accountId, organization: view.organization });
  await renderInteraction(deps, ctx, view, {
    view: 'consent',
    data: {
      account: account?.email ?? account?.username ?? account?.claims.name ?? '',
      scopes: scopesInWords(view.missingScopes),
      links: linksOf(view.client),
    },
  });
}

export const consent: SignInStep = async (deps, ctx, view, form) => {
  // A consent form that was kept open says nothing about the sign-in that is asked for now.
  if (view.prompt !== 'consent') throw new Refused('unreadable-body', { detail: 'no consent is asked for' });
  const decision = form.get('decision');
  if (decision !== 'allow' && decision !== 'deny')
    throw new Refused('unreadable-body', { detail: 'no decision' });
  ctx.respond = false;
  if (decision === 'allow') {
    const remembered = await deps.interactions.finishConsent(ctx.req, ctx.res);
    if (remembered) noteConsent(deps, ctx, view);
  } else {
    await deps.interactions.abort(ctx.req, ctx.res, {
      error: 'access_denied',
      description: 'The person did not allow the access.',
    });
  }
};

function noteConsent(deps: PageDeps, ctx: Context, view: InteractionView): void {
  const { organization, accountId: subject } = view;
  recordEvent(deps.identity, {
    event: 'consent.give',
    ...{ organization, subject, context: requestContext(ctx, view) },
    detail: { client: view.client.clientId, scopes: [...view.missingScopes] },
  });
}

function linksOf(client: InteractionView['client']): { key: string; href: string }[] {
  const links = [
    { key: 'policy', href: webAddress(client.policyUri) },
    { key: 'terms', href: webAddress(client.tosUri) },
  ];
  return links.flatMap(({ key, href }) => (href === undefined ? [] : [{ key, href }]));
}
