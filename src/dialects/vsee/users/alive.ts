/** POST /users/alive: the person is there, for so many seconds more. Prolongs no token. */

import { z } from 'zod';
import { ok } from '../../contract/reply.ts';
import { integer, optional } from '../fields.ts';
import { failures } from '../refusals.ts';
import { seconds } from '../serializers.ts';
import { endpoint } from '../settings.ts';

export const alive = endpoint({
  method: 'POST',
  path: '/users/alive',
  summary: 'Tell that the person is present',
  caller: 'token',
  counts: 'nothing',
  accepts: { body: z.object({ heartbeat: optional('heartbeat', integer(10, 3600)) }) },
  replies: {
    200: z.strictObject({ data: z.strictObject({ last_connected: z.int(), heartbeat: z.int() }) }),
    ...failures(400, 401, 413, 503),
  },
  async answer({ body, caller }, use) {
    const heartbeat = body.heartbeat ?? 300;
    const { lastSeenAt } = await use.accounts.heartbeat(caller.account.id, heartbeat);
    return ok({ data: { last_connected: seconds(lastSeenAt), heartbeat } });
  },
});
