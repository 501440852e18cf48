/**
 * POST /users/activate: makes an inactive account and sends it a code, or sends an inactive one a new code.
 * It answers true whatever happened, so that no client learns who is a patient of the clinic.
 */
import { z } from 'zod';
import { type OrganizationView, Refused } from '../../contract/dialect.ts';
import type { AccountView } from '../../contract/endpoint.ts';
import { ok } from '../../contract/reply.ts';
import type { Use } from '../../contract/use.ts';
import { emailLimits } from '../email-limits.ts';
import { date, email, optional, required, text } from '../fields.ts';
import { failures } from '../refusals.ts';
import { MEMBER } from '../serializers.ts';
import { endpoint } from '../settings.ts';
import { bornUntilToday } from '../users/born-until-today.ts';
import { isOnTheRoster } from './eligibility.ts';
import { emailsOff, invite } from './invitation.ts';

const NAME = text({ limit: 100 });

const body = z.object({
  first_name: required('first_name', NAME),
  last_name: required('last_name', NAME),
  email: required('email', email),
  dob: optional('dob', date),
  // Compared with the clinic's roster and forgotten: never stored, never logged.
  ssn: optional('ssn', text({ limit: 4, numbers: true, rule: (sent) => /^\d{4}$/.exec(sent)?.[0] })),
});

export type Newcomer = z.output<typeof body>;

export const activate = endpoint({
  method: 'POST',
  path: '/users/activate',
  summary: 'Make an account, or ask for a new code for one',
  caller: 'anyone',
  counts: 'nothing',
  accepts: { body },
  alsoJudge: bornUntilToday(['first_name', 'last_name', 'email']),
  limits: emailLimits('activate'),
  replies: { 200: z.strictObject({ data: z.literal(true) }), ...failures(400, 401, 403, 413, 429, 503) },
  async answer({ body, organization, settings }, use) {
    const account = await addressee(use, body, organization);
    const invited = account?.status === 'inactive' && !emailsOff(account.vendor) ? account : undefined;
    const { email, first_name: given_name, last_name: family_name } = body;
    const named = { email, names: { given_name, family_name } };
    await invite(use, invited, { named, settings });
    return ok({ data: true });
  },
});

/** The account that the address belongs to, made now if need be; undefined for those that are not on the roster. */
async function addressee(
  use: Use,
  newcomer: Newcomer,
  organization: OrganizationView,
): Promise<AccountView | undefined> {
  if (!isOnTheRoster(newcomer, organization.vendor?.eligibility)) return undefined;
  // What is stored stays: the caller has proved nothing yet.
  const known = await use.accounts.byEmail(newcomer.email);
  if (known !== undefined) return known;
  try {
    return await register(use, newcomer);
  } catch (refused) {
    if (!(refused instanceof Refused)) throw refused;
    // No accounts are opened here for now: the legacy system opens one, and sends the code.
    if (refused.about === 'registration') return undefined;
    if (refused.reason !== 'account-exists') throw refused;
    return use.accounts.byEmail(newcomer.email);
  }
}

function register(use: Use, { email, first_name, last_name, dob }: Newcomer): Promise<AccountView> {
  return use.accounts.register({
    email,
    emailVerified: false,
    status: 'inactive',
    claims: { given_name: first_name, family_name: last_name, ...(dob !== undefined && { birthdate: dob }) },
    vendor: { type: MEMBER, subtype: '', tos: false },
  });
}
