/** POST /register: an unverified account and one email with a verification link. No Grant. */
import { z } from 'zod';
import { type FieldIssue, Refused } from '../contract/dialect.ts';
import type { LimitRule } from '../contract/limits.ts';
import { json } from '../contract/reply.ts';
import { address, newPassword, required } from './fields.ts';
import { Failure, RegisteredReply } from './serializers.ts';
import { endpoint } from './settings.ts';
import { sendVerification } from './verification.ts';

/** The vendor counts characters as they were sent, and has judged (fields.ts) before Portico's list is asked. */
const JUDGED = 1;

export const register = endpoint({
  method: 'POST',
  path: '/register',
  summary: 'Register with a password',
  caller: 'anyone',
  counts: 'address',
  accepts: {
    body: z.object({
      title: required('title'),
      firstName: required('firstName'),
      lastName: required('lastName'),
      email: address,
      password: newPassword,
      specialty: required('specialty'),
      ehr_system_type: required('ehr_system_type'),
      ehr_system_name: required('ehr_system_name'),
    }),
  },
  /** The blocklist belongs to the password's own rule, and so comes before the members after it. */
  async alsoJudge({ raw, issues, use }): Promise<FieldIssue[]> {
    if (issues.some((issue) => issue.path[0] === 'password')) return [];
    try {
      use.passwords.judge(String(raw.password), { minimum: JUDGED });
      return [];
    } catch (refusal) {
      if (!(refusal instanceof Refused)) throw refusal;
      return [{ path: ['password'], message: 'password is too common, please choose another one' }];
    }
  },
  limits({ request, settings }): LimitRule[] {
    return [
      {
        counter: 'register',
        key: request.address,
        ...settings.limits.register,
        kind: 'sliding',
        charge: 'each',
      },
    ];
  },
  replies: { 201: RegisteredReply, 400: Failure, 409: Failure, 413: Failure, 429: Failure },
  async answer({ body, request, settings }, use) {
    const { email, password, firstName, lastName, ...vendor } = body;
    const account = await use.accounts.register(
      {
        email,
        password,
        claims: { given_name: firstName, family_name: lastName },
        vendor: { ...vendor, subscriptionActive: false, subscriptionExpiry: null },
      },
      { passwordMinimum: JUDGED },
    );
    await sendVerification({ account, confirms: true, request, settings, use });
    return json(201, {
      success: true,
      message: 'User registered successfully. Please verify your email.',
      user: { id: account.alias, email, isVerified: false },
    });
  },
});
