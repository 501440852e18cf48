/**
 * POST /verification/resend: answers alike for everyone. Who is meant: the address of the body, or else the
 * account of the token that came along.
 */
import { z } from 'zod';
import { endpointFor, type LimitRule, ok, Refused } from '../dialect.ts';
import { optionalAddress } from './fields.ts';
import { Failure, MessageReply } from './serializers.ts';
import type { MediSyncSettings } from './settings.ts';
import { sendVerification } from './verification.ts';

const REQUIRED = { faults: [{ path: ['email'], message: 'email is required' }] };

function limits(email: string, address: string, { limits: { resend } }: MediSyncSettings): LimitRule[] {
  const rule = { window: resend.window, kind: 'sliding', charge: 'each' } as const;
  return [
    { ...rule, counter: 'resend', key: email, limit: resend.limit },
    { ...rule, counter: 'resend-address', key: address, limit: resend.limit * 10 },
  ];
}

export const resendVerification = endpointFor<MediSyncSettings>()({
  method: 'POST',
  path: '/verification/resend',
  summary: 'Send the verification link again',
  caller: 'anyone',
  counts: 'address',
  body: { absent: 'empty-object' },
  accepts: { body: z.object({ email: optionalAddress }) },
  replies: { 200: MessageReply, 400: Failure, 401: Failure, 413: Failure, 429: Failure },
  async answer({ body, request, settings }, use) {
    if (body.email === undefined && request.header('authorization') === undefined) {
      throw new Refused('invalid-fields', REQUIRED);
    }
    const email = body.email ?? (await use.caller()).account?.email ?? '';
    await use.limit(limits(email, request.address, settings));
    const account = await use.accountByEmail(email);
    if (account?.status === 'active' && !account.emailVerified) {
      await sendVerification({ account, request, settings, use });
    } else {
      await use.pretendLetter();
    }
    return ok({ success: true, message: 'Verification email sent' });
  },
});
