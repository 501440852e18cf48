/** What a new VisitNote account has, however it was made. */
import type { NewAccount } from '../../contract/use.ts';
import { microseconds } from '../serializers.ts';
import type { VisitNoteSettings } from '../settings.ts';

const DAY = 86_400_000;

export function freshMembers(context: {
  firstName: string;
  lastName: string;
  settings: VisitNoteSettings;
  now: Date;
}): Pick<NewAccount, 'claims' | 'vendor'> {
  const { trialDays } = context.settings;
  return {
    claims: { given_name: context.firstName, family_name: context.lastName },
    vendor: {
      role: 'clinician',
      subscription_status: trialDays === 0 ? 'none' : 'trialing',
      trial_ends_at: trialDays === 0 ? null : microseconds(new Date(context.now.getTime() + trialDays * DAY)),
      needs_onboarding: true,
    },
  };
}
