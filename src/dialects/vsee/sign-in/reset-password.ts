/**
 * POST /users/reset_password: an active account gets a link to the hosted page, an inactive one a code. The
 * answer is always true.
 */
import { z } from 'zod';
import { ok } from '../../contract/reply.ts';
import { emailLimits } from '../email-limits.ts';
import { email, required } from '../fields.ts';
import { failures } from '../refusals.ts';
import { endpoint } from '../settings.ts';
import { emailsOff, invite, MAILBOX_QUOTA } from './invitation.ts';

const body = z.object({ email: required('email', email) });

export const resetPassword = endpoint({
  method: 'POST',
  path: '/users/reset_password',
  summary: 'Ask for a way to set a new password',
  caller: 'anyone',
  counts: 'nothing',
  accepts: { body },
  limits: emailLimits('reset'),
  replies: { 200: z.strictObject({ data: z.literal(true) }), ...failures(400, 401, 413, 429, 503) },
  async answer({ body, request, settings }, use) {
    const account = await use.accounts.byEmail(body.email);
    const addressee = account !== undefined && !emailsOff(account.vendor) ? account : undefined;
    if (addressee?.status === 'inactive') {
      await invite(use, addressee, { named: body, settings });
    } else {
      await use.emails.sendLinkToken({
        account: addressee?.status === 'active' ? addressee : undefined,
        purpose: 'reset',
        prefix: 'rst_',
        lifetime: 3600,
        // The issuer is configuration: a forged Host cannot get into an email.
        link: `${request.issuer}/reset?token={token}`,
        email: 'reset-link',
        // An attacker who asks must not end the link that the person waits for.
        supersedes: false,
        quota: MAILBOX_QUOTA,
        named: body,
      });
    }
    return ok({ data: true });
  },
});
