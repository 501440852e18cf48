/** Limits of the endpoints that may send a letter. Every valid request counts, whether the address is known or not. */
import type { LimitFacts, LimitRule } from '../contract/limits.ts';
import type { VSeeSettings } from './settings.ts';

/**
 * `door`: for one mailbox activate and reset count by themselves. A client address has one count for both and
 * for all clinics: whoever sends letters to strangers from there is the same.
 */
export function letterLimits(door: 'activate' | 'reset') {
  return ({ request, settings, body }: LimitFacts<VSeeSettings>): readonly LimitRule[] => {
    const { email } = body as { email: string };
    return [
      {
        counter: `${door}-address`,
        key: `${request.address} ${email}`,
        ...settings.limits.letters,
        kind: 'sliding',
        charge: 'each',
      },
      {
        counter: 'letters-client',
        key: request.address,
        acrossOrganizations: true,
        limit: 60,
        window: 3600,
        kind: 'sliding',
        charge: 'each',
      },
    ];
  };
}
