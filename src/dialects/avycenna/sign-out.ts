/** POST /auth/logout: ends the session that the refresh token of the body belongs to, if it is the caller's. */
import { z } from 'zod';
import { ok } from '../contract/reply.ts';
import { refreshToken } from './fields.ts';
import { Failure, InvalidFields, MessageReply } from './serializers.ts';
import { endpoint } from './settings.ts';

export const signOut = endpoint({
  method: 'POST',
  path: '/auth/logout',
  summary: 'Sign out',
  caller: 'token',
  counts: 'nothing',
  accepts: { body: z.object({ refresh_token: refreshToken }) },
  replies: { 415: Failure, 200: MessageReply, 401: Failure, 422: InvalidFields },
  async answer({ body, caller }, use) {
    await use.signOut.byToken(body.refresh_token, { owner: caller.account.id });
    return ok({ message: 'Logged out' });
  },
});
