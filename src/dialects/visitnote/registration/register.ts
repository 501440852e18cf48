/** POST /register: makes an account and signs it in at once. A taken address is a field's issue here, not a 409. */
import { z } from 'zod';
import { type FieldIssue, Refused } from '../../contract/dialect.ts';
import { ok } from '../../contract/reply.ts';
import type { Use } from '../../contract/use.ts';
import { points } from '../../fields/fields.ts';
import { newAddress, password, required } from '../fields.ts';
import { Failure, InvalidFields, SignedInReply, signedInReply } from '../serializers.ts';
import { endpoint } from '../settings.ts';
import { authTier } from '../sign-in/limits.ts';
import { freshMembers } from './new-account.ts';

const MINIMUM = 8;
const TAKEN: FieldIssue = { path: ['email'], message: 'Email already taken' };

const newPassword = password((value) =>
  points(value) < MINIMUM ? 'The password must be at least 8 characters.' : undefined,
);

/** Of its own it has only the type rule; what it must equal is judged with the password. */
const confirmation = z
  .unknown()
  .meta({ type: 'string' })
  .refine((value) => value === undefined || value === null || typeof value === 'string', {
    message: 'The password confirmation must be a string.',
  });

function passwordIssue(raw: Record<string, unknown>, use: Use): FieldIssue | undefined {
  const { password: value, password_confirmation: repeated } = raw;
  if (typeof value !== 'string') return undefined;
  try {
    // The length is judged: as sent, where the list of common ones counts normalized characters.
    use.passwords.judge(value, { minimum: 1 });
  } catch (refusal) {
    if (!(refusal instanceof Refused)) throw refusal;
    return { path: ['password'], message: 'The password is too common.' };
  }
  if (typeof repeated === 'string' && repeated !== '' && repeated !== value) {
    return { path: ['password'], message: 'The password confirmation does not match.' };
  }
  return undefined;
}

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
      password_confirmation: confirmation.optional(),
    }),
  },
  /** Fields are judged independently: a taken address and a common password are reported together. */
  async alsoJudge({ raw, issues, use }) {
    const faulty = (name: string) => issues.some((issue) => issue.path[0] === name);
    const further: FieldIssue[] = [];
    if (!faulty('password')) {
      const issue = passwordIssue(raw, use);
      if (issue !== undefined) further.push(issue);
    }
    if (!faulty('email')) {
      const address = newAddress.safeParse(raw.email);
      if (address.success && (await use.accounts.holderOf(address.data, 'email')) !== undefined)
        further.push(TAKEN);
    }
    return further;
  },
  limits: authTier,
  replies: { 200: SignedInReply, 413: Failure, 422: InvalidFields, 429: Failure },
  async answer({ body, settings }, use) {
    const account = await use.accounts
      .register(
        {
          email: body.email,
          password: body.password,
          ...freshMembers({ firstName: body.first_name, lastName: body.last_name, settings, now: use.now() }),
        },
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
