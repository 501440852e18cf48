/**
 * POST /users/login: with a name and a password, for active accounts; or with an address and the code that
 * was sent there, for those that have no password yet. One refusal for everything that is wrong.
 */

import { z } from 'zod';
import { ok } from '../../contract/reply.ts';
import { isThere, optional, password, required, tableBy, text } from '../fields.ts';
import { failures } from '../refusals.ts';
import { SignedInReply, signedInReply } from '../serializers.ts';
import { endpoint } from '../settings.ts';
import { INVITATION } from './invitation.ts';

const username = text({ limit: 255 });
/** Syntax is not checked: what is no address is an unknown one. */
const email = text({ limit: 254 });
const emailToken = text({ limit: 64 });

const withPassword = z.object({
  username: required('username', username),
  password: required('password', password),
});

const withCode = z.object({
  email: required('email', email),
  email_token: required('email_token', emailToken),
});

const body = tableBy(
  {
    username: optional('username', username),
    password: optional('password', password),
    email: optional('email', email),
    email_token: optional('email_token', emailToken),
  },
  (raw): typeof withPassword | typeof withCode => {
    if (isThere(raw.username, username)) return withPassword;
    return isThere(raw.email, email) || isThere(raw.email_token, emailToken) ? withCode : withPassword;
  },
);

export const signIn = endpoint({
  method: 'POST',
  path: '/users/login',
  summary: 'Sign in with a password, or with the code of an invitation',
  caller: 'anyone',
  counts: 'sign-in',
  begins: 'sign-in',
  accepts: { body },
  replies: { 200: SignedInReply, ...failures(400, 401, 413, 429, 503) },
  async answer({ body, organization }, use) {
    const signedIn =
      'username' in body
        ? await use.signIn.withPassword({
            login: body.username,
            password: body.password,
            by: ['username', 'email'],
            only: ({ status }) => status === 'active',
          })
        : await use.signIn.withCode({
            email: body.email,
            code: body.email_token.toLowerCase(),
            purpose: INVITATION,
            only: ({ status }) => status === 'inactive',
          });
    return ok(signedInReply(signedIn, organization));
  },
});
