/**
 * The pages that people meet: sign-in, consent, the reset page that letters lead to, and the ways out when
 * something is over. One file per page: it parses its form, calls one function of identity/, and shows a
 * page or lets the engine go on. Where they are answered and what guards them is in http/routes.ts; the
 * engine's own pages (errors, logout) are engine-pages.ts; how they look is in views/ and public/.
 */
import type { PageHandlers } from '../http/routes.ts';
import { cancel } from './cancel.ts';
import { consent } from './consent.ts';
import { front } from './front.ts';
import { interaction } from './interaction.ts';
import type { PageParts } from './parts.ts';
import { resetDone, setNewPassword, showReset } from './reset-password.ts';
import { signIn } from './sign-in.ts';

export function createPages(parts: PageParts): PageHandlers {
  return {
    front: front(parts),
    interaction: interaction(parts),
    signIn: signIn(parts),
    consent: consent(parts),
    cancel: cancel(parts),
    reset: showReset(parts),
    resetDone: resetDone(parts),
    setNewPassword: setNewPassword(parts),
  };
}
