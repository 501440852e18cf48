/** POST /logout: ends the sign-in behind the token that the request carries; the account's others live on. */

import { ok } from '../../contract/reply.ts';
import { ofTherapists } from '../caller.ts';
import { DoneReply, Failure } from '../serializers.ts';
import { endpoint } from '../settings.ts';
import { generalTier } from './limits.ts';

export const signOut = endpoint({
  method: 'POST',
  path: '/logout',
  summary: 'Sign out',
  caller: 'token',
  counts: 'nothing',
  rights: ofTherapists,
  body: 'ignored',
  limits: generalTier,
  replies: { 200: DoneReply, 401: Failure, 403: Failure, 413: Failure, 429: Failure },
  async answer({ caller }, use) {
    await use.signOut.byGrant(caller.grantId);
    return ok({ status: true, data: null, message: 'Logged out successfully' });
  },
});
