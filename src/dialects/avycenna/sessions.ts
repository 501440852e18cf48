/** Sign-in by password, refresh, sign-out, and the own account. */
import { z } from 'zod';
import { ok } from '../contract/reply.ts';
import { withScope } from './caller.ts';
import { address, password, refreshToken } from './fields.ts';
import {
  Failure,
  InvalidFields,
  MeReply,
  MessageReply,
  meReply,
  SignedInReply,
  signedInReply,
  TokensReply,
  tokensReply,
} from './serializers.ts';
import { endpoint } from './settings.ts';

/** Each sign-in is a session of its own; earlier ones live on. */
export const signIn = endpoint({
  method: 'POST',
  path: '/auth/login',
  summary: 'Sign in with a password',
  caller: 'anyone',
  counts: 'sign-in',
  begins: 'sign-in',
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

/** A new pair, without `user`; the old refresh token is dead once this is answered. */
export const refresh = endpoint({
  method: 'POST',
  path: '/auth/refresh',
  summary: 'Use a refresh token',
  caller: 'anyone',
  counts: 'nothing',
  accepts: { body: z.object({ refresh_token: refreshToken }) },
  replies: { 415: Failure, 200: TokensReply, 401: Failure, 422: InvalidFields },
  async answer({ body }, use) {
    const { tokens } = await use.signIn.refresh(body.refresh_token);
    return ok(tokensReply(tokens));
  },
});

/** Ends the session that the refresh token of the body belongs to, if it is the caller's. */
export const signOut = endpoint({
  method: 'POST',
  path: '/auth/logout',
  summary: 'Sign out',
  caller: 'token',
  counts: 'nothing',
  accepts: { body: z.object({ refresh_token: refreshToken }) },
  replies: { 415: Failure, 200: MessageReply, 401: Failure, 422: InvalidFields },
  async answer({ body, caller }, use) {
    await use.signOut.byToken(body.refresh_token, { owner: caller.account.id });
    return ok({ message: 'Logged out' });
  },
});

/** The account of the token, or of the key's owner. */
export const me = endpoint({
  method: 'GET',
  path: '/auth/me',
  summary: 'The own account',
  caller: 'token-or-api-key',
  counts: 'nothing',
  rights: withScope('read:users', 'admin'),
  replies: { 415: Failure, 200: MeReply, 401: Failure, 403: Failure },
  async answer({ caller, settings }) {
    return ok(meReply(caller.account, settings));
  },
});
