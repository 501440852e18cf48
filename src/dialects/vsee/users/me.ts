/** GET /me: the own profile. */

import { z } from 'zod';
import { ok } from '../../contract/reply.ts';
import { optional, text } from '../fields.ts';
import { failures } from '../refusals.ts';
import { MeReply, meReply } from '../serializers.ts';
import { endpoint } from '../settings.ts';

const size = text({
  limit: 9,
  rule: (sent) => (/^\d{1,4}x\d{1,4}$/.test(sent) ? sent : undefined),
});

export const me = endpoint({
  method: 'GET',
  path: '/me',
  summary: 'The own profile',
  caller: 'token',
  counts: 'nothing',
  accepts: { query: z.object({ user_photo_size: optional('user_photo_size', size) }) },
  replies: { 200: MeReply, ...failures(400, 401, 503) },
  async answer({ query, caller }) {
    return ok(meReply(caller.account, query.user_photo_size));
  },
});
