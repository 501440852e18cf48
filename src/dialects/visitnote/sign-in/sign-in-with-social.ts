/** POST /sign-in/social: finds the account by (provider, sub) and by nothing else; never creates, never links. */

import { Refused } from '../../contract/dialect.ts';
import { ok } from '../../contract/reply.ts';
import { admits } from '../admits.ts';
import { Failure, InvalidFields, SignedInReply, signedInReply } from '../serializers.ts';
import { endpoint } from '../settings.ts';
import { authTier } from './limits.ts';
import { judgeProvider, SocialBody, spend, verifiedIdentity } from './social.ts';

export const signInWithSocial = endpoint({
  method: 'POST',
  path: '/sign-in/social',
  summary: 'Sign in with a Google or Apple ID token',
  caller: 'anyone',
  counts: 'address',
  accepts: { body: SocialBody },
  async alsoJudge(context) {
    return judgeProvider(context);
  },
  limits: authTier,
  replies: { 200: SignedInReply, 401: Failure, 404: Failure, 413: Failure, 422: InvalidFields, 429: Failure },
  async answer({ body, settings }, use) {
    const identity = await verifiedIdentity(body, settings, use);
    const account = await use.upstreams.findAccount(identity);
    if (account === undefined) throw new Refused('account-not-found');
    if (!admits(account, settings))
      throw new Refused('id-token-refused', { detail: 'the account is not let in' });
    await spend(identity);
    return ok(signedInReply(await use.signIn.as(account, 'fed')));
  },
});
