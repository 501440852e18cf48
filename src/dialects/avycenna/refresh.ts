/** POST /auth/refresh: a new pair, without `user`; the old refresh token is dead once this is answered. */
import { z } from 'zod';
import { ok } from '../contract/reply.ts';
import { refreshToken } from './fields.ts';
import { Failure, InvalidFields, TokensReply, tokensReply } from './serializers.ts';
import { endpoint } from './settings.ts';

export const refresh = endpoint({
  method: 'POST',
  path: '/auth/refresh',
  summary: 'Use a refresh token',
  caller: 'anyone',
  counts: 'nothing',
  accepts: { body: z.object({ refresh_token: refreshToken }) },
  replies: { 415: Failure, 200: TokensReply, 401: Failure, 422: InvalidFields },
  async answer({ body }, use) {
    const { tokens } = await use.signIn.refresh(body.refresh_token);
    return ok(tokensReply(tokens));
  },
});
