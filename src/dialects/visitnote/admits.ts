/** Whom VisitNote lets in: active accounts, but none whose every role is refused (a patient gets no therapist token). */

import { rolesHere } from '../contract/dialect.ts';
import type { AccountView } from '../contract/endpoint.ts';
import type { VisitNoteSettings } from './settings.ts';

export const admitsRole = (role: string, { refuseRoles }: VisitNoteSettings) => !refuseRoles.includes(role);

export function admits(account: AccountView, settings: VisitNoteSettings): boolean {
  if (account.status !== 'active') return false;
  const roles = rolesHere(account);
  return roles.length === 0 || roles.some((role) => admitsRole(role, settings));
}
