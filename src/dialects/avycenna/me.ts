/** GET /auth/me: the account of the token, or of the key's owner. */
import { ok } from '../contract/reply.ts';
import { withScope } from './caller.ts';
import { Failure, MeReply, meReply } from './serializers.ts';
import { endpoint } from './settings.ts';

export const me = endpoint({
  method: 'GET',
  path: '/auth/me',
  summary: 'The own account',
  caller: 'token-or-api-key',
  counts: 'nothing',
  rights: withScope('read:users', 'admin'),
  replies: { 415: Failure, 200: MeReply, 401: Failure, 403: Failure },
  async answer({ caller, settings }) {
    return ok(meReply(caller.account, settings));
  },
});
