/** POST /auth/register: an account with an unverified address, signed in at once. No email. */
import { z } from 'zod';
import { json } from '../contract/reply.ts';
import { refuseCommon } from '../fields/fields.ts';
import { address, name, password, TOO_COMMON } from './fields.ts';
import { Failure, InvalidFields, SignedInReply, signedInReply } from './serializers.ts';
import { endpoint } from './settings.ts';

const MINIMUM = 8;

export const register = endpoint({
  method: 'POST',
  path: '/auth/register',
  summary: 'Register with a password',
  caller: 'anyone',
  counts: 'address',
  chargesAddress: ['account-exists'],
  accepts: { body: z.object({ name, email: address, password: password(MINIMUM) }) },
  /** The password stands last in the table, so its entry may come last. */
  alsoJudge: refuseCommon(TOO_COMMON),
  replies: { 415: Failure, 201: SignedInReply, 401: Failure, 409: Failure, 422: InvalidFields, 429: Failure },
  async answer({ body, settings }, use) {
    await use.passwords.checkAttempts(body.email.folded);
    const account = await use.accounts.register(
      {
        email: body.email.folded,
        password: body.password,
        claims: { name: body.name },
        vendor: { role: settings.defaultRole },
      },
      { passwordMinimum: 1 },
    );
    return json(201, signedInReply(await use.signIn.as(account, 'pwd'), settings));
  },
});
