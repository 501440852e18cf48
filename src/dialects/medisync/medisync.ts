/**
 * MediSync: health-care professionals register, confirm their address by a link, sign in with a password and
 * carry a JWT. No refresh, no sign-out, no tenants. README.md of this folder says what the vendor documents
 * and what is ours; the way in is `medisync` below.
 */

import { dialect, type Guard, Refused } from '../contract/dialect.ts';
import { jsonBodies, jwtTokens, oneOrganization } from '../contract/presets.ts';
import { emailSample } from '../contract/sample.ts';
import { DIGITS } from '../contract/tokens.ts';
import { legacy } from './legacy.ts';
import { changeProfile, showProfile, showSubscription } from './profile.ts';
import { refusals } from './refusals.ts';
import { register } from './register.ts';
import { type MediSyncSettings, settings } from './settings.ts';
import { signIn } from './sign-in.ts';
import { resendVerification, showVerification, verify } from './verification.ts';

/** Older clients add `?uid=<their id>`. It never selects an account, and any other id is refused alike. */
const uid: Guard<MediSyncSettings> = ({ request, caller, endpoint }) => {
  if (endpoint.caller !== 'token') return;
  const foreign = request.query.getAll('uid').some((id) => id !== '' && id !== caller?.account?.alias);
  if (foreign) throw new Refused('forbidden', { detail: 'uid is not the caller' });
};

export const medisync = dialect<MediSyncSettings>({
  name: 'medisync',
  product: 'MediSync',
  title: "MediSync's sign-in API",
  settings,
  ...oneOrganization,
  mounts: ({ base }) => [
    {
      base,
      endpoints: [
        register,
        signIn,
        resendVerification,
        showVerification,
        verify,
        showProfile,
        changeProfile,
        showSubscription,
      ],
      owns: true,
      otherMethods: 'method-not-allowed',
      head: true,
    },
  ],
  order: [
    'organization',
    'size',
    'credential',
    'guard:uid',
    'rights',
    'media',
    'encoding',
    'syntax',
    'fields',
    'limits',
  ],
  guards: { uid },
  bodies: jsonBodies,
  tokens: {
    scope: 'medisync',
    ...jwtTokens,
    claims: ({ account }) => ({ userId: account.alias }),
  },
  admitsRole: (role) => ['doctor', 'patient', 'admin'].includes(role),
  alias: { prefix: 'user_', alphabet: DIGITS, length: 12 },
  refusals,
  cors: 'server',
  legacy,
  sample: emailSample({ signIn: '/login', token: ['token'], me: '/user/profile' }),
});
