/** POST /sign-in: one Grant with its tokens for an address and a password. */

import { z } from 'zod';
import { ok } from '../contract/reply.ts';
import { email, password } from './fields.ts';
import { Failure, SignedInReply, signedInReply } from './replies.ts';
import { endpoint } from './settings.ts';

export const signIn = endpoint({
  method: 'POST',
  path: '/sign-in',
  summary: 'Sign in with a password',
  caller: 'anyone',
  counts: 'sign-in',
  accepts: { body: z.object({ email, password }) },
  replies: { 200: SignedInReply, 400: Failure, 401: Failure, 413: Failure, 415: Failure, 429: Failure },
  async answer({ body }, use) {
    const signedIn = await use.signIn.withPassword({
      login: body.email,
      password: body.password,
      by: ['email'],
    });
    return ok(signedInReply(signedIn));
  },
});
