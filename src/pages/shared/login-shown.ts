/** How a page names an account to its person: as they sign in. */
import { readableEmail } from '../../core/text.ts';
import type { AccountRecord } from '../../model/account.ts';

/** '' where there is neither an address nor a username. */
export function loginShown(account: Pick<AccountRecord, 'email' | 'username'> | undefined): string {
  const { email, username = '' } = account ?? {};
  return email === undefined ? username : readableEmail(email);
}
