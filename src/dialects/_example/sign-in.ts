/** Sign-in, refresh and sign-out. */
import { z } from 'zod';
import { empty, ok } from '../contract/reply.ts';
import { email, password, token } from './fields.ts';
import { Failure, SignedInReply, signedInReply } from './replies.ts';
import { endpoint } from './settings.ts';

/** POST /sign-in: one Grant with its tokens for an address and a password. */
export const signIn = endpoint({
  method: 'POST',
  path: '/sign-in',
  summary: 'Sign in with a password',
  caller: 'anyone',
  counts: 'sign-in',
  begins: 'sign-in',
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

/** POST /refresh: a new pair for a refresh token, which is used up by it. */
export const refresh = endpoint({
  method: 'POST',
  path: '/refresh',
  summary: 'Exchange a refresh token for a new pair',
  caller: 'anyone',
  counts: 'nothing',
  accepts: { body: z.object({ refreshToken: token }) },
  replies: { 200: SignedInReply, 400: Failure, 401: Failure, 413: Failure, 415: Failure },
  async answer({ body }, use) {
    return ok(signedInReply(await use.signIn.refresh(body.refreshToken)));
  },
});

/** POST /sign-out: ends the sign-in that the token belongs to, with its refresh token. */
export const signOut = endpoint({
  method: 'POST',
  path: '/sign-out',
  summary: 'Sign out',
  caller: 'token',
  counts: 'nothing',
  body: 'ignored',
  replies: { 204: z.undefined(), 401: Failure, 413: Failure },
  async answer({ caller }, use) {
    await use.signOut.byGrant(caller.grantId);
    return empty(204);
  },
});
