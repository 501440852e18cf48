/** POST /auth/otp/send and /auth/otp/verify: a six-digit code by e-mail instead of a password. */
import { z } from 'zod';
import { sliding } from '../contract/limits.ts';
import { ok } from '../contract/reply.ts';
import { DIGITS } from '../contract/tokens.ts';
import { address, otp } from './fields.ts';
import { CodeSentReply, Failure, InvalidFields, SignedInReply, signedInReply } from './serializers.ts';
import { endpoint } from './settings.ts';

const PURPOSE = 'avycenna-otp';
const LIFETIME = 600;

/** Every well-formed call counts, the address known or not. */
export const sendOneTimeCode = endpoint({
  method: 'POST',
  path: '/auth/otp/send',
  summary: 'Send a one-time code',
  caller: 'anyone',
  counts: 'nothing',
  begins: 'sign-in',
  accepts: { body: z.object({ email: address }) },
  limits: ({ body, request }) => [
    { ...sliding, counter: 'otp-send', key: body.email.folded, limit: 5, window: 900 },
    { ...sliding, counter: 'otp-send-address', key: request.address, limit: 100, window: 3600 },
  ],
  replies: {
    415: Failure,
    200: CodeSentReply,
    422: InvalidFields,
    429: Failure,
  },
  async answer({ body }, use) {
    const account = await use.accounts.byEmail(body.email.folded);
    await use.emails.sendCode({
      account: account?.status === 'active' ? account : undefined,
      purpose: PURPOSE,
      form: { alphabet: DIGITS, length: 6 },
      lifetime: LIFETIME,
      tries: 5,
      email: 'code',
      // The account may be given another address before the code comes back.
      binding: body.email.folded,
      named: { email: body.email.folded },
    });
    return ok({ message: `OTP sent to ${body.email.typed}`, expires_in_minutes: LIFETIME / 60 });
  },
});

export const verifyOneTimeCode = endpoint({
  method: 'POST',
  path: '/auth/otp/verify',
  summary: 'Sign in with a one-time code',
  caller: 'anyone',
  counts: 'sign-in',
  begins: 'sign-in',
  accepts: { body: z.object({ email: address, otp }) },
  replies: { 415: Failure, 200: SignedInReply, 401: Failure, 422: InvalidFields, 429: Failure },
  async answer({ body, settings }, use) {
    const signedIn = await use.signIn.withCode({
      email: body.email.folded,
      code: body.otp,
      purpose: PURPOSE,
      binding: body.email.folded,
    });
    return ok(signedInReply(signedIn, settings));
  },
});
