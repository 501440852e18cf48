/** POST /tokens/refresh: a new pair for a refresh token, which is used up by it. */

import { z } from 'zod';
import { Refused } from '../../contract/dialect.ts';
import { ok } from '../../contract/reply.ts';
import { required, text } from '../fields.ts';
import { failures } from '../refusals.ts';
import { RefreshedReply, refreshedReply, TOKEN } from '../serializers.ts';
import { endpoint } from '../settings.ts';

export const refresh = endpoint({
  method: 'POST',
  path: '/tokens/refresh',
  summary: 'Exchange a refresh token for a new pair',
  caller: 'anyone',
  counts: 'nothing',
  accepts: {
    // What is no token is a bad token, 401, not a bad field.
    body: z.object({ refresh_token: required('refresh_token', text({ limit: 65_536, exact: true })) }),
  },
  replies: { 200: RefreshedReply, ...failures(400, 401, 413, 503) },
  async answer({ body, organization }, use) {
    const token = body.refresh_token.trim();
    if (!TOKEN.test(token)) throw new Refused('refresh-refused');
    return ok(refreshedReply(await use.signIn.refresh(token), organization));
  },
});
