/**
 * The door of every sign-in: the engine sends the browser here with a cookie that belongs to one
 * interaction, and what the engine wants decides which page is shown.
 */
import type { Shows } from '../../http/forms/guards.ts';
import type { PageParts } from '../shared/deps.ts';
import { readInteraction } from '../shared/interaction.ts';
import { showConsent } from './consent.ts';
import { showStep } from './current-step.ts';

export function interaction(parts: PageParts): Shows {
  return async (ctx) => {
    const view = await readInteraction(parts, ctx);
    if (view === undefined) return;
    if (view.prompt === 'consent') await showConsent(parts, ctx, view);
    else await showStep(parts, ctx, view);
  };
}
