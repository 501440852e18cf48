/** What the pages work with; made by the composition root. */
import type { Forms } from '../http/csrf.ts';
import type { Views } from '../http/views.ts';
import type { Identity } from '../identity/identity.ts';
import type { Interactions } from '../oidc/oidc.ts';

export interface PageParts {
  readonly identity: Identity;
  readonly interactions: Interactions;
  readonly views: Views;
  readonly forms: Forms;
  /** Characters of a password that is set here. */
  readonly passwordMinimum: number;
  /** Whether the demo application and the mailbox are there. */
  readonly demo: boolean;
}
