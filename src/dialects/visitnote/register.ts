/** POST /register: makes an account and signs it in at once. A taken address is a field's issue here, not a 409. */
import { z } from 'zod';
import { type FieldIssue, Refused } from '../contract/dialect.ts';
import { ok } from '../contract/reply.ts';
import type { NewAccount, Use } from '../contract/use.ts';
import { field, points, refuseCommon } from '../fields/fields.ts';
import { newAddress, password, required } from './fields.ts';
import { authTier } from './limits.ts';
import { Failure, InvalidFields, microseconds, SignedInReply, signedInReply } from './serializers.ts';
import { endpoint, type VisitNoteSettings } from './settings.ts';

const MINIMUM = 8;
const DAY = 86_400_000;
const TAKEN: FieldIssue = { path: ['email'], message: 'Email already taken' };

/** What a new account has, however it was made. */
export function freshMembers(
  body: { first_name: string; last_name: string },
  { trialDays }: VisitNoteSettings,
  use: Use,
): Pick<NewAccount, 'claims' | 'vendor'> {
  return {
    claims: { given_name: body.first_name, family_name: body.last_name },
    vendor: {
      role: 'clinician',
      subscription_status: trialDays === 0 ? 'none' : 'trialing',
      trial_ends_at: trialDays === 0 ? null : microseconds(new Date(use.now().getTime() + trialDays * DAY)),
      needs_onboarding: true,
    },
  };
}

const newPassword = password((value) =>
  points(value) < MINIMUM ? 'The password must be at least 8 characters.' : undefined,
);

/** Of its own it has only the type rule; what it must equal is judged with the password. */
const confirmation = field((value, refuse) =>
  typeof (value ?? '') === 'string' ? value : refuse('The password confirmation must be a string.'),
).optional();

export const register = endpoint({
  method: 'POST',
  path: '/register',
  summary: 'Register with a password',
  caller: 'anyone',
  counts: 'address',
  accepts: {
    body: z.object({
      first_name: required('first_name', 100),
      last_name: required('last_name', 100),
      email: newAddress,
      password: newPassword,
      password_confirmation: confirmation,
    }),
  },
  /** Fields are judged independently: a taken address and a common password are reported together. */
  async alsoJudge({ raw, issues, use }) {
    const faulty = (name: string) => issues.some((issue) => issue.path[0] === name);
    const further = await refuseCommon('The password is too common.')({ raw, issues, use });
    const { password: sent, password_confirmation: repeated } = raw;
    const differs = typeof repeated === 'string' && repeated !== '' && repeated !== sent;
    if (differs && further.length === 0 && !faulty('password')) {
      further.push({ path: ['password'], message: 'The password confirmation does not match.' });
    }
    if (!faulty('email')) {
      const address = newAddress.safeParse(raw.email);
      if (address.success && (await use.accounts.holderOf(address.data, 'email')) !== undefined)
        further.push(TAKEN);
    }
    return further;
  },
  limits: authTier,
  replies: { 200: SignedInReply, 401: Failure, 413: Failure, 422: InvalidFields, 429: Failure },
  async answer({ body, settings }, use) {
    const account = await use.accounts
      .register(
        { email: body.email, password: body.password, ...freshMembers(body, settings, use) },
        { passwordMinimum: 1 },
      )
      .catch((refusal: unknown) => {
        // A parallel request registered the address in between.
        const raced = refusal instanceof Refused && refusal.reason === 'account-exists';
        throw raced ? new Refused('invalid-fields', { issues: [TAKEN] }) : refusal;
      });
    return ok(signedInReply(await use.signIn.as(account, 'pwd')));
  },
});
