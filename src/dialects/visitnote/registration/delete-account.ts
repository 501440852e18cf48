/** POST /delete-account: the account for good, in every dialect, for a caller who knows its password. */

import { z } from 'zod';
import { Refused } from '../../contract/dialect.ts';
import { ok } from '../../contract/reply.ts';
import { ofTherapists } from '../caller.ts';
import { password } from '../fields.ts';
import { DoneReply, Failure, InvalidFields } from '../serializers.ts';
import { endpoint } from '../settings.ts';
import { authTier } from '../sign-in/limits.ts';

export const deleteAccount = endpoint({
  method: 'POST',
  path: '/delete-account',
  summary: 'Delete the own account',
  caller: 'token',
  counts: 'sign-in',
  rights: ofTherapists,
  accepts: { body: z.object({ password: password() }) },
  limits: authTier,
  replies: { 200: DoneReply, 401: Failure, 403: Failure, 413: Failure, 422: InvalidFields, 429: Failure },
  async answer({ body, caller }, use) {
    const account = caller.account;
    if (!(await use.passwords.check(account.id, body.password))) throw new Refused('wrong-password');
    await use.accounts.delete(account.id);
    return ok({ status: true, data: null, message: 'Account deleted' });
  },
});
