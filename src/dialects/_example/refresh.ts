/** POST /refresh: a new pair for a refresh token, which is used up by it. */

import { z } from 'zod';
import { ok } from '../contract/reply.ts';
import { token } from './fields.ts';
import { Failure, SignedInReply, signedInReply } from './replies.ts';
import { endpoint } from './settings.ts';

export const refresh = endpoint({
  method: 'POST',
  path: '/refresh',
  summary: 'Exchange a refresh token for a new pair',
  caller: 'anyone',
  counts: 'nothing',
  accepts: { body: z.object({ refreshToken: token }) },
  replies: { 200: SignedInReply, 400: Failure, 401: Failure, 413: Failure, 415: Failure },
  async answer({ body }, use) {
    return ok(signedInReply(await use.signIn.refresh(body.refreshToken)));
  },
});
