/** POST /register: an unverified account and one letter with a verification link. No Grant. */
import { z } from 'zod';
import { endpointFor, type FieldFault, json, type LimitRule, Refused } from '../dialect.ts';
import { address, newPassword, required } from './fields.ts';
import { Failure, RegisteredReply } from './serializers.ts';
import type { MediSyncSettings } from './settings.ts';
import { sendVerification } from './verification.ts';

const MINIMUM = 8;

export const register = endpointFor<MediSyncSettings>()({
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
  /** The blocklist is part of the password's own rule, and so comes before the members after it. */
  async alsoJudge({ raw, faults, use }): Promise<FieldFault[]> {
    if (faults.some((fault) => fault.path[0] === 'password')) return [];
    try {
      use.judgePassword(String(raw.password), { minimum: MINIMUM });
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
    const account = await use.register({
      email: body.email,
      password: body.password,
      claims: { given_name: body.firstName, family_name: body.lastName },
      vendor: {
        title: body.title,
        specialty: body.specialty,
        ehr_system_type: body.ehr_system_type,
        ehr_system_name: body.ehr_system_name,
        subscriptionActive: false,
        subscriptionExpiry: null,
      },
    });
    await sendVerification({ account, request, settings, use });
    return json(201, {
      success: true,
      message: 'User registered successfully. Please verify your email.',
      user: { id: account.alias, email: body.email, isVerified: false },
    });
  },
});
