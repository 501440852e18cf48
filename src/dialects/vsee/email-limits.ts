/** Limits of the endpoints that may send an email. Every valid request counts, whether the address is known or not. */
import { type LimitContext, type LimitRule, sliding } from '../contract/limits.ts';
import type { VSeeSettings } from './settings.ts';

/**
 * `channel`: for one mailbox activate and reset count by themselves. A client address has one count for both and
 * for all clinics: an attacker who mails strangers from there is the same one everywhere.
 */
export function emailLimits(channel: 'activate' | 'reset') {
  return ({ request, settings, body }: LimitContext<VSeeSettings, { email: string }>): LimitRule[] => [
    {
      ...sliding,
      counter: `${channel}-address`,
      key: `${request.address} ${body.email}`,
      ...settings.limits.letters,
    },
    {
      ...sliding,
      counter: 'letters-client',
      key: request.address,
      acrossOrganizations: true,
      limit: 60,
      window: 3600,
    },
  ];
}
