/** Who calls a bearer endpoint, and whether the token is one of this panel. */

import { Refused } from '../contract/dialect.ts';
import type { AccountView, Caller } from '../contract/endpoint.ts';

export const PANEL = 'therapist';

/** A live token of the dialect's client that was made for another panel is 403, not 401. */
export function ofTherapists({ caller }: { caller: Caller }): void {
  if (caller.claims.token_panel !== PANEL) throw new Refused('forbidden');
}

/** The frame lets nobody reach a bearer endpoint without an account; this tells the compiler. */
export function accountOf(caller: Caller | undefined): AccountView {
  if (caller?.account === undefined) throw new Refused('invalid-token');
  return caller.account;
}
