/** The own account: its profile, flat; onboarding; and its end. */
import { z } from 'zod';
import { Refused } from '../contract/dialect.ts';
import { ok } from '../contract/reply.ts';
import { ofTherapists } from './admits.ts';
import { clearable, password, required, uuid } from './fields.ts';
import { authTier, generalTier } from './limits.ts';
import { DoneReply, Failure, InvalidFields, ProfileReply, profileReply } from './serializers.ts';
import { endpoint, type VisitNoteSettings } from './settings.ts';

export const myProfile = endpoint({
  method: 'GET',
  path: '/my-profile',
  summary: 'The own profile',
  caller: 'token',
  counts: 'nothing',
  rights: ofTherapists,
  limits: generalTier,
  replies: { 200: ProfileReply, 401: Failure, 403: Failure, 429: Failure },
  async answer({ caller }) {
    return ok(profileReply(caller.account));
  },
});

const schema = (settings: VisitNoteSettings) => ({
  body: z.object({
    discipline: required('discipline', 50, (name) =>
      settings.disciplines.some((known) => known.toUpperCase() === name.toUpperCase())
        ? undefined
        : 'The selected discipline is invalid.',
    ).transform((name) => name.toUpperCase()),
    license_number: clearable('license_number', 100).optional(),
    license_state: clearable('license_state', 100).optional(),
    organization_uuid: clearable('organization_uuid', 50, uuid)
      .transform((id) => id?.toLowerCase() ?? id)
      .optional(),
  }),
});

/** Stores what a clinician is, and clears `needs_onboarding`. It may be called again. */
export const completeOnboarding = endpoint({
  method: 'POST',
  path: '/complete-onboarding',
  summary: 'Store discipline and licence',
  caller: 'token',
  counts: 'nothing',
  rights: ofTherapists,
  accepts: schema,
  limits: generalTier,
  replies: { 200: ProfileReply, 401: Failure, 403: Failure, 413: Failure, 422: InvalidFields, 429: Failure },
  async answer({ body, caller }, use) {
    const account = await use.accounts.update(caller.account.id, () => ({
      vendor: { ...body, needs_onboarding: false },
    }));
    return ok(profileReply(account));
  },
});

/** The account for good, in every dialect, for a caller who knows its password. */
export const deleteAccount = endpoint({
  method: 'POST',
  path: '/delete-account',
  summary: 'Delete the own account',
  caller: 'token',
  counts: 'sign-in',
  rights: ofTherapists,
  accepts: { body: z.object({ password: password() }) },
  limits: authTier,
  replies: { 200: DoneReply, 401: Failure, 403: Failure, 413: Failure, 422: InvalidFields, 429: Failure },
  async answer({ body, caller }, use) {
    const account = caller.account;
    if (!(await use.passwords.check(account.id, body.password))) throw new Refused('wrong-password');
    await use.accounts.delete(account.id);
    return ok({ status: true, data: null, message: 'Account deleted' });
  },
});
