/** GET /me: the own account. */
import { ok } from '../contract/reply.ts';
import { Failure, PersonReply, personReply } from './replies.ts';
import { endpoint } from './settings.ts';

export const me = endpoint({
  method: 'GET',
  path: '/me',
  summary: 'The own account',
  caller: 'token',
  counts: 'nothing',
  replies: { 200: PersonReply, 401: Failure },
  async answer({ caller }) {
    return ok(personReply(caller.account));
  },
});
