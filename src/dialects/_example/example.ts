/**
 * The imaginary vendor Example Clinic: the folder to copy for a new one (../README.md, "Adding a dialect").
 * It is complete and tested like the others, and small: register, sign in, refresh, the own account, sign
 * out. What a request passes before an endpoint is the pipeline's; here stands only what this
 * vendor says.
 */

import { dialect } from '../contract/dialect.ts';
import { jsonBodies, jwtTokens, oneOrganization } from '../contract/presets.ts';
import { emailSample } from '../contract/sample.ts';
import { BASE62, HEX } from '../contract/tokens.ts';
import { legacy } from './legacy.ts';
import { me } from './me.ts';
import { refusals } from './refusals.ts';
import { register } from './register.ts';
import { type ExampleSettings, settings } from './settings.ts';
import { refresh, signIn, signOut } from './sign-in.ts';

export const example = dialect<ExampleSettings>({
  name: 'example',
  product: 'Example Clinic',
  title: "Example Clinic's sign-in API",
  settings,
  ...oneOrganization,
  mounts: ({ base }) => [
    {
      base,
      endpoints: [register, signIn, refresh, me, signOut],
      owns: true,
      otherMethods: 'method-not-allowed',
      head: true,
    },
  ],
  order: ['organization', 'size', 'credential', 'rights', 'encoding', 'media', 'syntax', 'fields', 'limits'],
  bodies: jsonBodies,
  tokens: {
    scope: 'example',
    ...jwtTokens,
    claims: ({ account }) => ({ person: account.alias }),
    refresh: {
      form: { prefix: 'exr_', alphabet: HEX, length: 64 },
      lifetime: ({ refreshToken }) => refreshToken.lifetime,
      leeway: ({ refreshToken }) => refreshToken.leeway,
      reuse: 'replay',
    },
  },
  alias: { prefix: 'person_', alphabet: BASE62, length: 12 },
  refusals,
  cors: 'server',
  legacy,
  sample: emailSample({ signIn: '/sign-in', token: ['token'], me: '/me' }),
});
