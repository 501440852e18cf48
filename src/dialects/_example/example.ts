/**
 * The imaginary vendor Example Clinic: the folder to copy for a new one (../README.md, "Adding a dialect").
 * It is complete and tested like the others, and small: register, sign in, refresh, the own account, sign
 * out. What a request passes before an endpoint is the pipeline's; here stands only what this
 * vendor says.
 */

import { type Credential, dialect } from '../contract/dialect.ts';
import type { RequestView } from '../contract/endpoint.ts';
import { emailSample } from '../contract/sample.ts';
import { BASE62, HEX } from '../contract/tokens.ts';
import { me } from './me.ts';
import { refresh } from './refresh.ts';
import { refusals } from './refusals.ts';
import { register } from './register.ts';
import { type ExampleSettings, settings } from './settings.ts';
import { signIn } from './sign-in.ts';
import { signOut } from './sign-out.ts';

/** `Authorization: Bearer <token>`; any other scheme counts as no credential. */
function credential(request: RequestView): Credential | undefined {
  const token = /^bearer +(\S+) *$/i.exec(request.header('authorization') ?? '')?.[1];
  return token === undefined ? undefined : { kind: 'token', token };
}

export const example = dialect<ExampleSettings>({
  name: 'example',
  title: "Example Clinic's sign-in API",
  settings,
  clientId: ({ clientId }) => clientId,
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
  bodies: {
    accepts: ['json'],
    limit: 65_536,
    forms: 'flat',
    absent: 'refuse',
    untyped: 'refuse',
    unreadable: 'refuse',
  },
  credential,
  organization: async ({ settings: { organization } }) => organization,
  tokens: {
    scope: 'example',
    access: 'jwt',
    claims: ({ account }) => ({ person: account.alias }),
    accessLifetime: ({ accessToken }) => accessToken.lifetime,
    audience: ({ accessToken, base }, issuer) => accessToken.audience ?? issuer + base,
    sharedSecret: ({ accessToken }) => accessToken.secret,
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
  sample: emailSample({ signIn: '/sign-in', token: ['token'], me: '/me' }),
});
