/** POST /sign-out: ends the sign-in that the token belongs to, with its refresh token. */
import { z } from 'zod';
import { Refused } from '../contract/dialect.ts';
import { endpoint } from '../contract/endpoint.ts';
import { empty } from '../contract/reply.ts';
import { Failure } from './replies.ts';

export const signOut = endpoint({
  method: 'POST',
  path: '/sign-out',
  summary: 'Sign out',
  caller: 'token',
  counts: 'nothing',
  body: 'ignored',
  replies: { 204: z.undefined(), 401: Failure, 413: Failure },
  async answer({ caller }, use) {
    if (caller?.grantId === undefined) throw new Refused('invalid-token');
    await use.signOut.byGrant(caller.grantId);
    return empty(204);
  },
});
