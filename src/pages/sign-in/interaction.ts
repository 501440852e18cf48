/**
 * The channel of every sign-in: the provider sends the browser here with a cookie that belongs to one
 * interaction, and what the provider wants decides which page is shown.
 */
import type { Shows } from '../../http/forms/guards.ts';
import type { PageDeps } from '../shared/deps.ts';
import { readInteraction } from '../shared/interaction.ts';
import { showConsent } from './consent.ts';
import { showStep } from './current-step.ts';

export function interaction(deps: PageDeps): Shows {
  return async (ctx) => {
    const view = await readInteraction(deps, ctx);
    if (view === undefined) return;
    if (view.prompt === 'consent') await showConsent(deps, ctx, view);
    else await showStep(deps, ctx, view);
  };
}
