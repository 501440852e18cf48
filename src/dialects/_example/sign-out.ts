/** POST /sign-out: ends the sign-in that the token belongs to, with its refresh token. */

import { z } from 'zod';
import { empty } from '../contract/reply.ts';
import { Failure } from './replies.ts';
import { endpoint } from './settings.ts';

export const signOut = endpoint({
  method: 'POST',
  path: '/sign-out',
  summary: 'Sign out',
  caller: 'token',
  counts: 'nothing',
  body: 'ignored',
  replies: { 204: z.undefined(), 401: Failure, 413: Failure },
  async answer({ caller }, use) {
    await use.signOut.byGrant(caller.grantId);
    return empty(204);
  },
});
