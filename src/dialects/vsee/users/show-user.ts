/**
 * GET /users/{id}. `-` is the caller. Who is not staff may see nobody else, and does not learn whether an id
 * exists; to staff another organization's id is as unknown as one that nobody has.
 */

import { Refused } from '../../contract/dialect.ts';
import { ok } from '../../contract/reply.ts';
import { failures } from '../refusals.ts';
import { isStaff } from '../serializers.ts';
import { endpoint } from '../settings.ts';
import { UserReply, userReply } from './user-profile.ts';

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
