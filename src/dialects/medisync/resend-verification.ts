/**
 * POST /verification/resend: answers alike for everyone. Who is meant: the address of the body, or else the
 * account of the token that came along.
 */
import { z } from 'zod';
import type { FieldIssue } from '../contract/dialect.ts';
import type { RequestView } from '../contract/endpoint.ts';
import type { LimitRule } from '../contract/limits.ts';
import { ok } from '../contract/reply.ts';
import { optionalAddress } from './fields.ts';
import { Failure, MessageReply } from './serializers.ts';
import { endpoint } from './settings.ts';
import { sendVerification } from './verification.ts';

const namesAddress = (raw: Readonly<Record<string, unknown>>) => (raw.email ?? undefined) !== undefined;
const hasAuthorization = (request: RequestView) => request.header('authorization') !== undefined;

export const resendVerification = endpoint({
  method: 'POST',
  path: '/verification/resend',
  summary: 'Send the verification link again',
  caller: 'anyone',
  counts: 'address',
  body: { absent: 'empty-object' },
  accepts: { body: z.object({ email: optionalAddress }) },
  /** Only where the body names no address is the token looked at, and so only after the body. */
  needsCaller: ({ raw, request }) => !namesAddress(raw) && hasAuthorization(request),
  order: [
    'organization',
    'size',
    'media',
    'encoding',
    'syntax',
    'fields',
    'credential',
    'guard:uid',
    'rights',
    'limits',
  ],
  async alsoJudge({ raw, request }): Promise<FieldIssue[]> {
    const identified = namesAddress(raw) || hasAuthorization(request);
    return identified ? [] : [{ path: ['email'], message: 'email is required' }];
  },
  limits({ body, caller, request, settings: { limits } }): LimitRule[] {
    const { limit, window } = limits.resend;
    const rule = { window, kind: 'sliding', charge: 'each' } as const;
    // An account of another vendor may have no address; it gets no email, and is counted all the same.
    const key = body.email ?? caller?.account?.email ?? caller?.account?.id ?? '';
    return [
      { ...rule, counter: 'resend', key, limit },
      { ...rule, counter: 'resend-address', key: request.address, limit: limit * 10 },
    ];
  },
  replies: { 200: MessageReply, 400: Failure, 401: Failure, 413: Failure, 429: Failure },
  async answer({ body, caller, request, settings }, use) {
    const account = body.email === undefined ? caller?.account : await use.accounts.byEmail(body.email);
    const unverified = account?.status === 'active' && !account.emailVerified ? account : undefined;
    const confirms = body.email === undefined;
    await sendVerification({ account: unverified, confirms, request, settings, use });
    return ok({ success: true, message: 'Verification email sent' });
  },
});
