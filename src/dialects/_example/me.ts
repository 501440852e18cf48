/** GET /me: the own account. */

import { Refused } from '../contract/dialect.ts';
import { endpoint } from '../contract/endpoint.ts';
import { ok } from '../contract/reply.ts';
import { Failure, PersonReply, personReply } from './replies.ts';

export const me = endpoint({
  method: 'GET',
  path: '/me',
  summary: 'The own account',
  caller: 'token',
  counts: 'nothing',
  replies: { 200: PersonReply, 401: Failure },
  async answer({ caller }) {
    // The frame lets nobody come here without an account; this tells the compiler.
    if (caller?.account === undefined) throw new Refused('invalid-token');
    return ok(personReply(caller.account));
  },
});
