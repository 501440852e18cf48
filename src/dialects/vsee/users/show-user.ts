/**
 * GET /users/{id}. `-` is the caller. A caller who is not staff sees only their own account, and does not
 * learn whether an id exists; staff get the same 404 for another organization's id as for an unknown one.
 */

import { Refused } from '../../contract/dialect.ts';
import { ok } from '../../contract/reply.ts';
import { failures } from '../refusals.ts';
import { isStaff, UserReply, userReply } from '../serializers.ts';
import { endpoint } from '../settings.ts';

export const showUser = endpoint({
  method: 'GET',
  path: '/users/:id',
  segments: { id: /^(?:\d+|-)$/ },
  summary: 'One user of the own organization',
  caller: 'token',
  counts: 'nothing',
  rights({ caller, params }) {
    const account = caller.account;
    if (params.id !== '-' && params.id !== account.alias && !isStaff(account)) throw new Refused('forbidden');
  },
  replies: { 200: UserReply, ...failures(401, 403, 404, 503) },
  async answer({ params, caller, organization }, use) {
    const own = caller.account;
    const { id = '-' } = params;
    const account = id === '-' || id === own.alias ? own : await use.accounts.byAlias(id);
    if (account === undefined) throw new Refused('account-not-found');
    return ok(userReply(account, organization));
  },
});
