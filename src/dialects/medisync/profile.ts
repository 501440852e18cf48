/** GET and PUT /user/profile, and GET /settings/subscription: what the token's account knows of itself. */
import { z } from 'zod';
import { Refused } from '../contract/dialect.ts';
import { ok } from '../contract/reply.ts';
import { optional } from './fields.ts';
import { Failure, ProfileReply, profileReply, SubscriptionReply, subscriptionReply } from './serializers.ts';
import { endpoint } from './settings.ts';

export const showProfile = endpoint({
  method: 'GET',
  path: '/user/profile',
  summary: 'The own profile; open to unverified accounts',
  caller: 'token',
  counts: 'nothing',
  body: 'ignored',
  replies: { 200: ProfileReply, 401: Failure, 403: Failure, 413: Failure },
  async answer({ caller }) {
    return ok(profileReply(caller.account));
  },
});

/** All or nothing; what is absent stays; everything else is ignored, so that a client may send a whole profile back. */
export const changeProfile = endpoint({
  method: 'PUT',
  path: '/user/profile',
  summary: 'Change the own profile',
  caller: 'token',
  counts: 'nothing',
  accepts: {
    body: z.object({
      title: optional('title'),
      firstName: optional('firstName'),
      lastName: optional('lastName'),
      specialty: optional('specialty'),
      ehr_system_type: optional('ehr_system_type'),
      ehr_system_name: optional('ehr_system_name'),
    }),
  },
  replies: { 200: ProfileReply, 400: Failure, 401: Failure, 403: Failure, 413: Failure },
  async answer({ body, caller }, use) {
    const { firstName, lastName, ...vendor } = body;
    const account = await use.accounts.update(caller.account.id, () => ({
      claims: { given_name: firstName, family_name: lastName },
      vendor,
    }));
    return ok(profileReply(account));
  },
});

export const showSubscription = endpoint({
  method: 'GET',
  path: '/settings/subscription',
  summary: 'The own subscription; for verified accounts',
  caller: 'token',
  counts: 'nothing',
  body: 'ignored',
  rights({ caller }) {
    if (caller.account?.emailVerified !== true) throw new Refused('email-not-verified');
  },
  replies: { 200: SubscriptionReply, 401: Failure, 403: Failure, 413: Failure },
  async answer({ caller }) {
    return ok(subscriptionReply(caller.account));
  },
});
