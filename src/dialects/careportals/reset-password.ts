/** The three steps of a password reset: ask for a link, ask whether it is good, set the new password. */
import { z } from 'zod';
import { Refused } from '../contract/dialect.ts';
import { json, ok } from '../contract/reply.ts';
import type { Use } from '../contract/use.ts';
import { anyEmail, password, refuseShort, resetToken } from './fields.ts';
import { inAMinute } from './limits.ts';
import { Failure, TrueReply } from './serializers.ts';
import { type CarePortalsSettings, endpoint, mayReach } from './settings.ts';

/** The hosted reset page takes the same link tokens. */
const PURPOSE = 'reset';

const guesses = inAMinute('reset-token', 10, ['link-token-refused'], { acrossOrganizations: true });

/** The same answer for everyone, in the same time; the email goes out after the reply. */
export const forgot = endpoint({
  method: 'POST',
  path: '/auth/forgot',
  summary: 'Ask for a reset link',
  caller: 'anyone',
  counts: 'address',
  accepts: { body: z.object({ email: anyEmail }) },
  limits: inAMinute('reset-request', 60, 'success'),
  replies: { 201: TrueReply, 400: Failure, 406: Failure, 413: Failure, 429: Failure },
  async answer({ body, request, settings }, use) {
    const account = await use.accounts.byEmail(body.email);
    await use.emails.sendLinkToken({
      account: account?.status === 'active' ? account : undefined,
      purpose: PURPOSE,
      prefix: 'rst_',
      lifetime: settings.resetToken.lifetime,
      link: settings.resetLink ?? `${request.issuer}/reset?token={token}`,
      email: 'reset-link',
      supersedes: false,
      quota: { limit: 3, window: 900 },
      named: body,
    });
    return json(201, true);
  },
});

/** Throws 'link-token-refused', also for the token of an organization that is out of this dialect's reach. */
async function read(token: string, settings: CarePortalsSettings, use: Use): Promise<void> {
  const account = await use.linkTokens.read(token, PURPOSE);
  const isGood = account ? mayReach(account.organization, settings) : await use.linkTokens.isLegacy(token);
  if (!isGood) throw new Refused('link-token-refused');
}

/** Asking consumes nothing: mail scanners and impatient people ask too. */
function validateAt(path: string) {
  return endpoint({
    method: 'GET',
    path,
    summary: 'Is this reset token good?',
    caller: 'anyone',
    counts: 'address',
    limits: guesses,
    replies: { 200: TrueReply, 400: Failure, 401: Failure, 429: Failure },
    async answer({ request, settings }, use) {
      const [token = '', ...more] = request.query.getAll('token');
      if (token === '' || more.length > 0) throw new Refused('link-token-refused');
      await read(token, settings, use);
      return ok(true);
    },
  });
}

export const validate = validateAt('/auth/forgot/validate');
export const validateByOtherName = validateAt('/auth/valid-password-token');

/** A refused password does not consume the token; of parallel uses one wins. */
export const reset = endpoint({
  method: 'POST',
  path: '/auth/reset',
  summary: 'Set a new password',
  caller: 'anyone',
  counts: 'address',
  accepts: { body: z.object({ token: resetToken, password: password.min(1) }) },
  limits: guesses,
  replies: { 201: TrueReply, 400: Failure, 401: Failure, 406: Failure, 413: Failure, 429: Failure },
  async answer({ body, settings }, use) {
    await read(body.token, settings, use);
    refuseShort(body.password, settings.password.minLength);
    await use.linkTokens.resetPassword(body.token, body.password, { minimum: 1 });
    return json(201, true);
  },
});
