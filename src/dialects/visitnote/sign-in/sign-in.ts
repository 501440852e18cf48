/** POST /sign-in: one Grant and one access token for an address and a password. */

import { z } from 'zod';
import { ok } from '../../contract/reply.ts';
import { anyAddress, password } from '../fields.ts';
import { Failure, InvalidFields, SignedInReply, signedInReply } from '../serializers.ts';
import { endpoint } from '../settings.ts';
import { authTier } from './limits.ts';

export const signIn = endpoint({
  method: 'POST',
  path: '/sign-in',
  summary: 'Sign in with a password',
  caller: 'anyone',
  counts: 'sign-in',
  accepts: { body: z.object({ email: anyAddress, password: password() }) },
  limits: authTier,
  replies: { 200: SignedInReply, 401: Failure, 413: Failure, 422: InvalidFields, 429: Failure },
  async answer({ body }, use) {
    const signedIn = await use.signIn.withPassword({
      login: body.email,
      password: body.password,
      by: ['email'],
    });
    return ok(signedInReply(signedIn));
  },
});
