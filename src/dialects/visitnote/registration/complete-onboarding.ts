/** POST /complete-onboarding: stores what a clinician is, and clears `needs_onboarding`. It may be called again. */
import { z } from 'zod';
import { ok } from '../../contract/reply.ts';
import { ofTherapists } from '../caller.ts';
import { clearable, required, uuid } from '../fields.ts';
import { Failure, InvalidFields, ProfileReply, profileReply } from '../serializers.ts';
import { endpoint, type VisitNoteSettings } from '../settings.ts';
import { generalTier } from '../sign-in/limits.ts';

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

export const completeOnboarding = endpoint({
  method: 'POST',
  path: '/complete-onboarding',
  summary: 'Store discipline and licence',
  caller: 'token',
  counts: 'nothing',
  rights: ofTherapists,
  accepts: schema,
  limits: generalTier,
  replies: {
    200: ProfileReply,
    401: Failure,
    403: Failure,
    413: Failure,
    422: InvalidFields,
    429: Failure,
  },
  async answer({ body, caller }, use) {
    const account = await use.accounts.update(caller.account.id, () => ({
      vendor: { ...body, needs_onboarding: false },
    }));
    return ok(profileReply(account));
  },
});
