/**
 * AVYCENNA, the doctors' API: sign-in by password, by mailed code and through Google, rotating refresh
 * tokens, API keys. README.md of this folder says what the vendor documents and what is ours; the way in is
 * `avycenna` below.
 */

import { dialect, Refused } from '../contract/dialect.ts';
import type { RequestView } from '../contract/endpoint.ts';
import { jsonBodies, jwtTokens, oneOrganization } from '../contract/presets.ts';
import { emailSample } from '../contract/sample.ts';
import { BASE62, HEX } from '../contract/tokens.ts';
import { createApiKey, deleteApiKey, KEY_FORMS, listApiKeys, scopesOf } from './api-keys.ts';
import { credential, worth } from './caller.ts';
import { finishGoogle, startGoogle, upstreamCallback } from './google.ts';
import { legacy } from './legacy.ts';
import { sendOneTimeCode, verifyOneTimeCode } from './one-time-code.ts';
import { refusals } from './refusals.ts';
import { register } from './register.ts';
import { ROLES, roleOf } from './serializers.ts';
import { me, refresh, signIn, signOut } from './sessions.ts';
import { type AvycennaSettings, settings } from './settings.ts';

/** 415 whatever the method: the bodies of GET and DELETE are not looked at, but this is said in the header. */
function refuseEncoded({ request }: { request: RequestView }): void {
  const encoding = request.header('content-encoding')?.trim().toLowerCase() ?? '';
  if (encoding !== '' && encoding !== 'identity') throw new Refused('unsupported-encoding');
}

export const avycenna = dialect<AvycennaSettings>({
  name: 'avycenna',
  product: 'AVYCENNA',
  title: "AVYCENNA's doctors' API",
  settings,
  upstreamCallback,
  ...oneOrganization,
  mounts: ({ base }) => [
    {
      base,
      endpoints: [
        sendOneTimeCode,
        verifyOneTimeCode,
        register,
        signIn,
        refresh,
        signOut,
        me,
        createApiKey,
        listApiKeys,
        deleteApiKey,
        startGoogle,
        finishGoogle,
      ],
      owns: true,
      otherMethods: 'method-not-allowed',
      head: false,
    },
  ],
  order: [
    'organization',
    'guard:plain',
    'encoding',
    'size',
    'credential',
    'rights',
    'media',
    'syntax',
    'fields',
    'limits',
  ],
  guards: { plain: refuseEncoded },
  bodies: { ...jsonBodies, untyped: 'json', jsonTypes: /^application\/[^;\s]+\+json$/i },
  credential,
  tokens: {
    scope: 'openid profile email offline_access',
    ...jwtTokens,
    claims: ({ account, settings: input }) => ({ user_id: account.alias, role: roleOf(account, input) }),
    refresh: {
      form: { prefix: 'rt_', alphabet: HEX, length: 64 },
      lifetime: ({ refreshToken }) => refreshToken.lifetime,
      absoluteLifetime: ({ refreshToken }) => refreshToken.absoluteLifetime,
      leeway: ({ refreshToken }) => refreshToken.leeway,
      reuse: 'in-flight',
    },
  },
  apiKeyForm: { id: KEY_FORMS.id, key: KEY_FORMS.key, owner: 'account' },
  apiKeys: {
    prefix: 'avk_',
    describe: (caller, input) => ({
      scopes: worth(caller, input),
      claims: { user_id: caller.account.alias, role: roleOf(caller.account, input) },
    }),
    offer: { limit: KEY_FORMS.limit, organization: ({ organization }) => organization, scopes: scopesOf },
  },
  admitsRole: (role) => ROLES.includes(role),
  alias: { prefix: 'usr_', alphabet: BASE62, length: 8 },
  refusals,
  cors: ({ origins }) => ({
    origins,
    credentials: false,
    methods: ['GET, POST, DELETE'],
    headers: ['authorization, content-type, x-api-key'],
    exposed: [],
    maxAge: 600,
    onlyWithOrigin: true,
  }),
  legacy,
  sample: emailSample({ signIn: '/auth/login', token: ['access_token'], me: '/auth/me' }),
});
