/**
 * "Forgot password": emails a link to the owner of an active account with an address. Known and unknown
 * names take the same steps: one look-up by each name, one count, one link token, one email.
 */

import { foldName } from '../../core/text.ts';
import { findByLogin } from '../accounts/find-account.ts';
import { pseudonymOf, recordEvent } from '../audit/audit.ts';
import { RESET, sendLinkToken } from '../codes/link-token.ts';
import type { Identity, RequestContext } from '../context.ts';
import { takeEmail } from '../emails/email-limits.ts';
import { absentAccountIn } from '../emails/send-email.ts';
import { letLegacyWrite } from '../legacy/ask-code.ts';

/** Seconds. */
const LIFETIME = 3600;

/** Refused('too-many-requests'): too many emails were asked for, by name and by client address. Tells nothing else. */
export async function requestReset(
  identity: Identity,
  input: { organization: string; login: string; context: RequestContext },
): Promise<void> {
  const { organization, login, context } = input;
  const mailbox = [organization, foldName(login)];
  await takeEmail(identity, { mailbox, address: context.address, what: 'resets' });
  const account = await findByLogin(identity, { organization, login, by: ['email', 'username'] });
  const subject = account?.id ?? pseudonymOf(identity, organization, login);
  const active = account?.status === 'active' && account.email !== undefined ? account : undefined;
  await sendLinkToken(identity, {
    account: active ?? absentAccountIn(organization),
    purpose: RESET,
    prefix: 'rst_',
    lifetime: LIFETIME,
    link: `${identity.issuer}/reset?token={token}&organization={organization}`,
    email: 'reset-link',
    supersedes: false,
  });
  if (account === undefined)
    letLegacyWrite(identity, 'reset', { organization, email: login.trim(), context });
  recordEvent(identity, { event: 'password.forgotten', organization, subject, context });
}
