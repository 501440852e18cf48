/** Whom VisitNote lets in: active accounts, but none whose every role is refused (a patient gets no therapist token). */
import type { AccountView } from '../dialect.ts';
import type { VisitNoteSettings } from './settings.ts';

export function admits(account: AccountView, settings: VisitNoteSettings): boolean {
  if (account.status !== 'active') return false;
  return account.roles.length === 0 || account.roles.some((role) => !settings.refuseRoles.includes(role));
}
