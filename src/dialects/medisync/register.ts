/** POST /register: an unverified account and one email with a verification link. No Grant. */
import { z } from 'zod';
import { sliding } from '../contract/limits.ts';
import { json } from '../contract/reply.ts';
import { refuseCommon } from '../fields/fields.ts';
import { address, newPassword, required } from './fields.ts';
import { Failure, RegisteredReply } from './serializers.ts';
import { endpoint } from './settings.ts';
import { sendVerification } from './verification.ts';

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
  alsoJudge: refuseCommon('password is too common, please choose another one'),
  limits: ({ request, settings }) => [
    { ...sliding, counter: 'register', key: request.address, ...settings.limits.register },
  ],
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
      // The vendor counts characters as they were sent, and has judged.
      { passwordMinimum: 1 },
    );
    await sendVerification({ account, confirms: true, request, settings, use });
    return json(201, {
      success: true,
      message: 'User registered successfully. Please verify your email.',
      user: { id: account.alias, email, isVerified: false },
    });
  },
});
