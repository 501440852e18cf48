/** POST /register: a new account, signed in at once. */
import { z } from 'zod';
import { sliding } from '../contract/limits.ts';
import { json } from '../contract/reply.ts';
import { email, password, text } from './fields.ts';
import { Failure, SignedInReply, signedInReply } from './replies.ts';
import { endpoint } from './settings.ts';

const MINIMUM = 10;

export const register = endpoint({
  method: 'POST',
  path: '/register',
  summary: 'Register with a password',
  caller: 'anyone',
  counts: 'address',
  chargesAddress: ['account-exists'],
  accepts: { body: z.object({ name: text(100), email, password }) },
  limits: ({ request, settings }) => [
    { ...sliding, counter: 'register', key: request.address, limit: settings.limits.register, window: 3600 },
  ],
  replies: {
    201: SignedInReply,
    400: Failure,
    401: Failure,
    409: Failure,
    413: Failure,
    415: Failure,
    429: Failure,
  },
  async answer({ body }, use) {
    const account = await use.accounts.register(
      { email: body.email, password: body.password, claims: { name: body.name } },
      { passwordMinimum: MINIMUM },
    );
    return json(201, signedInReply(await use.signIn.as(account, 'pwd')));
  },
});
