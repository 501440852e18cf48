/** Whether the token of a bearer endpoint is one of this panel. */

import { Refused } from '../contract/dialect.ts';
import type { Caller } from '../contract/endpoint.ts';

export const PANEL = 'therapist';

/** A live token of the dialect's client that was made for another panel is 403, not 401. */
export function ofTherapists({ caller }: { caller: Caller }): void {
  if (caller.claims.token_panel !== PANEL) throw new Refused('forbidden');
}
