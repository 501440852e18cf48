/** Whom VisitNote lets in. */
import { Refused, rolesHere } from '../contract/dialect.ts';
import type { AccountView, Caller } from '../contract/endpoint.ts';
import type { VisitNoteSettings } from './settings.ts';

export const admitsRole = (role: string, { refuseRoles }: VisitNoteSettings) => !refuseRoles.includes(role);

/** Active accounts, but none whose every role is refused (a patient gets no therapist token). */
export function admits(account: AccountView, settings: VisitNoteSettings): boolean {
  if (account.status !== 'active') return false;
  const roles = rolesHere(account);
  return roles.length === 0 || roles.some((role) => admitsRole(role, settings));
}

export const PANEL = 'therapist';

/** A live token of the dialect's client that was made for another panel is 403, not 401. */
export function ofTherapists({ caller }: { caller: Caller }): void {
  if (caller.claims.token_panel !== PANEL) throw new Refused('forbidden');
}
