/** POST /auth/login: each sign-in is a session of its own; earlier ones live on. */
import { z } from 'zod';
import { ok } from '../contract/reply.ts';
import { address, password } from './fields.ts';
import { Failure, InvalidFields, SignedInReply, signedInReply } from './serializers.ts';
import { endpoint } from './settings.ts';

export const signIn = endpoint({
  method: 'POST',
  path: '/auth/login',
  summary: 'Sign in with a password',
  caller: 'anyone',
  counts: 'sign-in',
  accepts: { body: z.object({ email: address, password: password() }) },
  replies: { 415: Failure, 200: SignedInReply, 401: Failure, 422: InvalidFields, 429: Failure },
  async answer({ body, settings }, use) {
    const signedIn = await use.signIn.withPassword({
      login: body.email.folded,
      password: body.password,
      by: ['email'],
    });
    return ok(signedInReply(signedIn, settings));
  },
});
