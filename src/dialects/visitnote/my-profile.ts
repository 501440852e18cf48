/** GET /my-profile: the token's account, flat. */

import { ok } from '../contract/reply.ts';
import { ofTherapists } from './caller.ts';
import { Failure, ProfileReply, profileReply } from './serializers.ts';
import { endpoint } from './settings.ts';
import { generalTier } from './sign-in/limits.ts';

export const myProfile = endpoint({
  method: 'GET',
  path: '/my-profile',
  summary: 'The own profile',
  caller: 'token',
  counts: 'nothing',
  rights: ofTherapists,
  limits: generalTier,
  replies: { 200: ProfileReply, 401: Failure, 403: Failure, 429: Failure },
  async answer({ caller }) {
    return ok(profileReply(caller.account));
  },
});
