/** The code that lets an inactive account sign in until it sets a password: six letters, five tries. */
import type { AccountView } from '../../contract/endpoint.ts';
import { ALPHABET } from '../../contract/tokens.ts';
import type { Named, Use } from '../../contract/use.ts';
import { isOn } from '../serializers.ts';
import type { VSeeSettings } from '../settings.ts';

/** The purpose of these codes; one of another purpose does not sign in here. */
export const INVITATION = 'vsee-invitation';

/** Emails one mailbox gets in an hour, over all clients; what goes beyond is not sent and makes no code. */
export const MAILBOX_QUOTA = { limit: 10, window: 3600 };

/** The clinic may switch off all emails to a user. */
export function emailsOff({ disable_emails: off }: AccountView['vendor']): boolean {
  return isOn(off);
}

/** `account` undefined: the same work, no email. */
export async function invite(
  use: Use,
  account: AccountView | undefined,
  { named, settings }: { readonly named: Named; readonly settings: VSeeSettings },
): Promise<void> {
  await use.emails.sendCode({
    account,
    purpose: INVITATION,
    form: { alphabet: ALPHABET, length: 6 },
    lifetime: settings.emailToken.lifetime,
    tries: 5,
    email: 'activation-code',
    quota: MAILBOX_QUOTA,
    named,
  });
}
