/** Sign-in by password, and sign-out. */
import { z } from 'zod';
import { ok } from '../contract/reply.ts';
import { ofTherapists } from './admits.ts';
import { anyAddress, password } from './fields.ts';
import { authTier, generalTier } from './limits.ts';
import { DoneReply, Failure, InvalidFields, SignedInReply, signedInReply } from './serializers.ts';
import { endpoint } from './settings.ts';

export const signIn = endpoint({
  method: 'POST',
  path: '/sign-in',
  summary: 'Sign in with a password',
  caller: 'anyone',
  counts: 'sign-in',
  begins: 'sign-in',
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

/** Ends the sign-in behind the token that the request carries; the account's others live on. */
export const signOut = endpoint({
  method: 'POST',
  path: '/logout',
  summary: 'Sign out',
  caller: 'token',
  counts: 'nothing',
  rights: ofTherapists,
  body: 'ignored',
  limits: generalTier,
  replies: { 200: DoneReply, 401: Failure, 403: Failure, 413: Failure, 429: Failure },
  async answer({ caller }, use) {
    await use.signOut.byGrant(caller.grantId);
    return ok({ status: true, data: null, message: 'Logged out successfully' });
  },
});
