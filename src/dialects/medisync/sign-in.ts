/** POST /login: one Grant, one access token of a day, or of a month when the person asks to be remembered. */
import { z } from 'zod';
import { sliding } from '../contract/limits.ts';
import { ok } from '../contract/reply.ts';
import { anyAddress, password, remember } from './fields.ts';
import { Failure, SignedInReply, signedInReply } from './serializers.ts';
import { endpoint, tenfold } from './settings.ts';

export const signIn = endpoint({
  method: 'POST',
  path: '/login',
  summary: 'Sign in with a password',
  caller: 'anyone',
  counts: 'sign-in',
  begins: 'sign-in',
  accepts: { body: z.object({ email: anyAddress, password: password(), remember }) },
  /** Attempts, good and bad, for one address and e-mail together; ten times as many for one address. */
  limits: ({ request, settings: { limits }, body }) => [
    { ...sliding, ...limits.login, counter: 'login', key: `${request.address} ${body.email}` },
    { ...sliding, ...tenfold(limits.login), counter: 'login-address', key: request.address },
  ],
  replies: { 200: SignedInReply, 400: Failure, 401: Failure, 413: Failure, 429: Failure },
  async answer({ body, settings }, use) {
    const { lifetime, rememberLifetime } = settings.accessToken;
    const signedIn = await use.signIn.withPassword({
      login: body.email,
      password: body.password,
      by: ['email'],
      lifetime: body.remember ? rememberLifetime : lifetime,
    });
    return ok(signedInReply(signedIn));
  },
});
